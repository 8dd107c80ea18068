/**
 * What have the lock masters decided?
 *
 * More than half of them are a *quorum*. A vote of theirs is
 *
 * - *won* when a quorum voted yes;
 * - *unavailable* when so many failed to answer that the others are no quorum;
 * - *lost* when a quorum answered and the votes cannot suffice any more, or all have answered or failed;
 * - *pending* until then. What is decided stays so, whatever is answered later.
 */
export type Tally = {
  /** How many masters there are. */
  readonly masters: number
  /** How many voted yes, how many no, and how many failed to answer. */
  readonly votes: number
  readonly refusals: number
  readonly failures: number
}

export type VoteResult = 'pending' | 'won' | 'lost' | 'unavailable'

export const voteResult = ({ masters, votes, refusals, failures }: Tally): VoteResult => {
  const quorum = Math.floor(masters / 2) + 1
  /** If more masters than this are against it, or away, no quorum is left. */
  const spare = masters - quorum
  if (votes >= quorum) return 'won'
  if (failures > spare) return 'unavailable'
  const isHopeless = refusals > spare && votes + refusals >= quorum
  return isHopeless || votes + refusals + failures === masters ? 'lost' : 'pending'
}
