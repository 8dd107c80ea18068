/** What does payment refuse? */
import { problemKind } from '../shared/http/problem.ts'

export const noSuchUser = problemKind(404, 'no-such-user', 'Unknown user', (user: string) => ({
  detail: `there is no user "${user}"`,
  user_id: user,
}))

export const outOfCredit = problemKind(402, 'out-of-credit', 'Out of credit', (user: string) => ({
  detail: `user "${user}" has not enough credit`,
  user_id: user,
}))

/** Money is held by a checkout for so long that whether there is enough cannot be known. Nothing was done. */
export const creditHeld = problemKind(423, 'credit-held', 'Credit is held', (user: string) => ({
  detail: `a checkout of user "${user}" holds the credit; try again`,
  user_id: user,
}))
