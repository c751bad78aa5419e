import { describe, expect, test, vi } from "vitest";
import { fakeTime } from "../../../core/test/helpers/fake-time.ts";
import { openPage, type Page } from "./chat-page.ts";

fakeTime("leaps");

const statuses = async (page: Page, count: number, owner = "ann"): Promise<number[]> =>
  await Promise.all(Array.from({ length: count }, async () => (await page.ask("GET", "", { owner })).status));

describe("the requests of an owner", () => {
  test("are limited, those of each owner by themselves, and a refused one does not count", async () => {
    const page = openPage(undefined, { requestsPerMinute: 3 });
    expect(await statuses(page, 5)).toEqual([200, 200, 200, 429, 429]);
    const refused = await page.send("Hi");
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "20"]);
    expect(await refused.json()).toEqual({
      error: { code: "too_many_requests", message: "You have sent too many requests. Wait a moment." },
    });
    expect(await statuses(page, 1, "bob")).toEqual([200]);
    await vi.advanceTimersByTimeAsync(19_999);
    expect(await statuses(page, 1)).toEqual([429]);
    await vi.advanceTimersByTimeAsync(1);
    expect(await statuses(page, 2)).toEqual([200, 429]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await statuses(page, 4)).toEqual([200, 200, 200, 429]);
    expect(page.lines).toEqual([]);
  });

  test("are 600 a minute by default, and any number when asked for", async () => {
    const byDefault = await statuses(openPage(), 601);
    expect(byDefault.filter((status) => status === 429)).toHaveLength(1);
    const any = await statuses(openPage(undefined, { requestsPerMinute: Infinity }), 1000);
    expect(any.filter((status) => status !== 200)).toEqual([]);
  });

  test("do not count when nobody is logged in, nor when a browser asks what it may ask", async () => {
    const page = openPage(undefined, {
      requestsPerMinute: 1,
      authorize: ({ headers }) =>
        headers.get("x-user") === "ann" ? { owner: "ann" } : new Response(undefined, { status: 401 }),
    });
    expect(await statuses(page, 2, "nobody")).toEqual([401, 401]);
    expect((await page.ask("OPTIONS", "")).status).toBe(204);
    expect(await statuses(page, 2)).toEqual([200, 429]);
  });

  test("are forgotten of the owner whose last one is longest ago, when there are very many owners", async () => {
    const page = openPage(undefined, { requestsPerMinute: 2 });
    expect(await statuses(page, 1, "first")).toEqual([200]);
    for (let index = 0; index < 9_999; index++) await page.ask("GET", "", { owner: `owner ${index}` });
    expect(await statuses(page, 1, "first")).toEqual([200]);
    expect(await statuses(page, 1, "one more")).toEqual([200]);
    expect(await statuses(page, 1, "first")).toEqual([429]);
    expect(await statuses(page, 3, "owner 0")).toEqual([200, 200, 429]);
  });

  test.each([0, -1, Number.NaN])("cannot be limited to %s a minute", (requestsPerMinute) => {
    expect(() => openPage(undefined, { requestsPerMinute })).toThrow(
      new TypeError(`requestsPerMinute must be a number above 0, got ${requestsPerMinute}`),
    );
  });
});
