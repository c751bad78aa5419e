import type { JSX } from "preact";
import { formatCost, formatMoney, type MoneyFacts, type Priced } from "../../../src/inspection/cost.ts";
import { useInspector } from "../app/inspector.ts";
import { Button } from "../acting/parts.tsx";

/** A cost, with what is to be known of it; nothing where nothing has a price. */
export function Money({ of: row }: { readonly of: Priced & MoneyFacts }): JSX.Element | null {
  if (row.cost === undefined) return null;
  return <span title={moneyNote(row)}>cost {formatCost(row, row.currency)}</span>;
}

/** What a cost is by, and what is not in it. */
export function moneyNote(row: Priced & MoneyFacts): string | undefined {
  const { cost, unpriced, pricedHere, currency, pricesAsOf } = row;
  const notes = [
    pricesAsOf !== undefined && `prices of ${pricesAsOf}`,
    pricedHere !== undefined &&
      pricedHere !== cost &&
      `${formatMoney(pricedHere, currency)} of it by the prices given to the inspector, the rest as the runs recorded it`,
    pricedHere !== undefined && pricedHere === cost && "by the prices given to the inspector",
    unpriced !== undefined && `not in it: ${unpriced}, which has no price`,
  ].filter((note) => note !== false);
  return notes.length === 0 ? undefined : notes.join("; ");
}

/** Says that something has no price, and offers those that Google lists; or says that these are used. */
export function PricesNote({ of: { unpriced, pricedHere } }: { readonly of: Priced }): JSX.Element | null {
  const inspector = useInspector();
  const { listPrices } = inspector.open.value.about.value ?? {};
  if (listPrices?.isUsed === true)
    return (
      <p class="banner prices-note">
        {pricedHere === undefined
          ? "Google's list prices have nothing to add here."
          : `What no run recorded is by Google's list prices of ${listPrices.asOf}: an estimate in US dollars, not a bill.`}{" "}
        <Button say="Leave them out" onClick={() => inspector.showListPrices(false)} />
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
