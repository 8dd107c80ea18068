/**
 * What is a user, and what can be refused to one?
 *
 * A user is a wallet: credit, which the user owns, and the part of it that checkouts hold. Only credit is shown.
 */
import { type Problem, problem } from '../shared/http/problem.ts'

export type User = { readonly user_id: string; readonly credit: number }

export const noSuchUser = (user: string): Problem =>
  problem(404, 'no-such-user', 'Unknown user', `there is no user "${user}"`, { user_id: user })

export const outOfCredit = (user: string): Problem =>
  problem(402, 'out-of-credit', 'Out of credit', `user "${user}" has not enough credit`, { user_id: user })

/** Money is held by a checkout for so long that whether there is enough cannot be said. Nothing was done. */
export const creditHeld = (user: string): Problem =>
  problem(423, 'credit-held', 'Credit is held', `a checkout of user "${user}" holds the credit; try again`, {
    user_id: user,
  })
