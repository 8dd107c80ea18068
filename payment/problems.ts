/** What does payment refuse? */
import type { Offer } from '../shared/contract/methods.ts'
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

/** A method takes neither too little nor too much, nor instalments that are too small. */
export const methodLimits = problemKind(
  409,
  'method-limits',
  'The method does not allow it',
  ({ method, installments, min, max }: Offer) => ({
    detail: `by "${method}" in ${installments} instalments from ${min} to ${max} can be paid`,
    method,
    installments,
    min,
    max,
  }),
)
