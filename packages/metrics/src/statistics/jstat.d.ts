/** What is used of jstat 1.9.6, which ships no types. */
declare module 'jstat' {
  const jStat: {
    readonly chisquare: { cdf(value: number, degreesOfFreedom: number): number };
    readonly normal: { cdf(value: number, mean: number, standardDeviation: number): number };
    /** The studentised range. */
    readonly tukey: { inv(probability: number, groups: number, degreesOfFreedom: number): number };
  };
  export default jStat;
}
