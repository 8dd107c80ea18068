/** What do lines cost together, and is that still exact? */

/** Items and their amounts as Redis has them: `item:amount,item:amount`. */
export const listed = (amounts: Iterable<readonly [item: string, amount: number]>): string => {
  let text = ''
  for (const [item, amount] of amounts) text += text === '' ? `${item}:${amount}` : `,${item}:${amount}`
  return text
}

export const sumOf = (amounts: readonly number[]): number => amounts.reduce((sum, amount) => sum + amount, 0)

/** Beyond this a number rounds, yet never back to it: no sum that is too large looks as if it were not. */
export const isExact = (amount: number): boolean => amount <= Number.MAX_SAFE_INTEGER
