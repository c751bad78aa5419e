import { expect, test } from "vitest";
import { SessionList } from "../../page/src/sessions/session-list.ts";
import type { SessionQuery } from "../../src/inspection/inspection.ts";

/** A list of a source with that many sessions, in pages of 250, and the queries that it got. */
function listOf(count: number) {
  const asked: SessionQuery[] = [];
  const source = {
    sessions: async (query: SessionQuery) => {
      asked.push(query);
      const from = Number(query.after ?? 0);
      const sessions = Array.from({ length: Math.min(250, count - from) }, (_, n) => ({ id: `chat-${from + n}` }));
      return { sessions, ...(from + 250 < count && { next: String(from + 250) }) };
    },
  };
  return { asked, list: new SessionList(source as never) };
}

test("a list that fits on one page is loaded again, and a longer one keeps all pages that were scrolled to", async () => {
  const short = listOf(250);
  await short.list.search({});
  await short.list.refresh();
  expect(short.asked).toHaveLength(2);
  const long = listOf(300);
  await long.list.search({});
  await long.list.refresh();
  await long.list.more();
  expect([long.list.rows.value.length, long.list.isWhole.value]).toEqual([300, true]);
  await long.list.refresh();
  expect(long.list.rows.value).toHaveLength(300);
  expect(long.asked).toHaveLength(2);
});
