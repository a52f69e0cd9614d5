/**
 * Thrown where a metric finds, deep in its work, that there is nothing to score; its score is then null with this reason.
 * The message is a clause: what is the case.
 */
export class NoScore extends Error {
  override readonly name = 'NoScore';
}
