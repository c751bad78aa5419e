import type { JSX } from "preact";
import { formatCost, formatMoney, type MoneyFacts, type Priced } from "../../../src/inspection/cost.ts";
import { useInspector } from "../app/inspector.ts";
import { Button } from "../acting/parts.tsx";

/** A cost, with a note as tooltip; nothing if nothing has a price. */
export function Money({ of: row }: { readonly of: Priced & MoneyFacts }): JSX.Element | null {
  if (row.cost === undefined) return null;
  return <span title={moneyNote(row)}>cost {formatCost(row, row.currency)}</span>;
}

/** The prices behind a cost, and what it leaves out. */
export function moneyNote(row: Priced & MoneyFacts): string | undefined {
  const { cost, unpriced, pricedHere, currency, pricesAsOf } = row;
  const notes = [
    pricesAsOf !== undefined && `prices of ${pricesAsOf}`,
    pricedHere !== undefined &&
      pricedHere !== cost &&
      `${formatMoney(pricedHere, currency)} of it by the inspector's prices, the rest as recorded by the runs`,
    pricedHere !== undefined && pricedHere === cost && "by the inspector's prices",
    unpriced !== undefined && `without ${unpriced}, which has no price`,
  ].filter((note) => note !== false);
  return notes.length === 0 ? undefined : notes.join("; ");
}

/** Explains that something has no price and offers Google's list prices, or that the page uses them. */
export function PricesNote({ of: { unpriced, pricedHere } }: { readonly of: Priced }): JSX.Element | null {
  const inspector = useInspector();
  const { listPrices } = inspector.open.value.about.value ?? {};
  if (listPrices?.isUsed === true && (unpriced ?? pricedHere) !== undefined)
    return (
      <p class="banner prices-note">
        {pricedHere === undefined
          ? "Google's list prices don't apply to anything here."
          : `Costs without a recorded price use Google's list prices of ${listPrices.asOf}: an estimate in US dollars, not a bill.`}{" "}
        <Button say="Don't use them" onClick={() => inspector.showListPrices(false)} />
      </p>
    );
  if (unpriced === undefined) return null;
  return (
    <p class="banner prices-note">
      {`No price is known for ${unpriced}.`}{" "}
      {listPrices !== undefined && (
        <Button say={`Use Google's list prices of ${listPrices.asOf}`} onClick={() => inspector.showListPrices(true)} />
      )}
    </p>
  );
}
