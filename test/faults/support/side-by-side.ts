/** Runs jobs with limited parallelism. @returns Their results, in order. */
export async function sideBySide<Job, Result>(
  jobs: readonly Job[],
  width: number,
  run: (job: Job, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < jobs.length; index = next++) {
      // The index is below the length.
      results[index] = await run(jobs[index] as Job, index);
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
  return results;
}
