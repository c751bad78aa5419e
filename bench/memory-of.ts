import { readdir, readFile } from "node:fs/promises";

/** Megabytes of each child process whose command line contains a word; shared memory counts once. */
export async function memoryOf(word: string): Promise<readonly number[]> {
  const all = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found: number[] = [];
  for (const pid of all) {
    try {
      const [command, status] = await Promise.all([read(`${pid}/cmdline`), read(`${pid}/status`)]);
      if (!command.includes(word) || !(await isBelow(pid))) continue;
      const pss =
        /^Pss:\s+(\d+) kB$/m.exec(await read(`${pid}/smaps_rollup`))?.[1] ?? /^VmRSS:\s+(\d+)/m.exec(status)?.[1];
      found.push(Number(pss) / 1024);
    } catch {
      // It has ended in the meantime.
    }
  }
  return found;
}

async function isBelow(pid: string): Promise<boolean> {
  for (let at = pid; at !== "0";) {
    if (at === String(process.pid)) return true;
    at = /^PPid:\s+(\d+)$/m.exec(await read(`${at}/status`))?.[1] ?? "0";
  }
  return false;
}

function read(path: string): Promise<string> {
  return readFile(`/proc/${path}`, "utf8");
}
