declare module "jstat" {
  interface Distribution<Arguments extends readonly number[]> {
    inv(p: number, ...of: Arguments): number;
    cdf(x: number, ...of: Arguments): number;
  }
  const jstat: {
    readonly normal: Distribution<[mean: number, deviation: number]>;
    readonly studentt: Distribution<[freedom: number]>;
    readonly beta: Distribution<[a: number, b: number]>;
  };
  export default jstat;
}
