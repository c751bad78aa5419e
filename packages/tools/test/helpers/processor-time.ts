/** Processor time of this thread for some work, in milliseconds, on a machine of any load; accurate to a few milliseconds. */
export async function processorTime(work: () => unknown): Promise<number> {
  const before = process.threadCpuUsage();
  await work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}
