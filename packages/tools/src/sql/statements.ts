/**
 * How many statements a text contains, not counting comments and empty ones. Only for the error message: the database decides
 * whether a statement may run.
 */
export function countStatements(sql: string): number {
  let count = 0;
  let isInside = false;
  for (let at = 0; at < sql.length;) {
    const length = tokenLength(sql, at);
    const token = sql.slice(at, at + length);
    if (token === ";") isInside = false;
    else if (!/^\s|^--|^\/\*/.test(token) && !isInside) {
      isInside = true;
      count++;
    }
    at += length;
  }
  return count;
}

/** Without `;` and comments after the last statement. */
export function trimmed(sql: string): string {
  let end = 0;
  for (let at = 0; at < sql.length;) {
    const length = tokenLength(sql, at);
    if (!/^(?:\s|--|\/\*|;)/.test(sql.slice(at, at + length))) end = at + length;
    at += length;
  }
  return sql.slice(0, end);
}

const TOKENS: readonly RegExp[] = [
  /--[^\n]*/y,
  /[eE]'(?:[^'\\]|\\.|'')*(?:'|$)/sy,
  /'(?:[^']|'')*(?:'|$)/sy,
  /"(?:[^"]|"")*(?:"|$)/sy,
  /`[^`]*(?:`|$)/sy,
  /\$([A-Za-z_]\w*)?\$.*?(?:\$\1\$|$)/sy,
  /[A-Za-z_][\w$]*/y,
  /\s+/y,
];

function tokenLength(sql: string, at: number): number {
  if (sql.startsWith("/*", at)) return commentLength(sql, at);
  for (const token of TOKENS) {
    token.lastIndex = at;
    const found = token.exec(sql);
    if (found !== null && found[0] !== "") return found[0].length;
  }
  return 1;
}

/** Comments nest in Postgres; in SQLite they don't, but a comment rarely contains a second start. */
function commentLength(sql: string, at: number): number {
  let depth = 0;
  for (let end = at; end < sql.length;) {
    if (sql.startsWith("/*", end)) depth++;
    else if (sql.startsWith("*/", end)) depth--;
    else {
      end++;
      continue;
    }
    end += 2;
    if (depth === 0) return end - at;
  }
  return sql.length - at;
}
