/** The ledger of a service, read behind its back: what its commands have posted, by account. */
import type { Redis } from 'ioredis'
import { parseLines } from '../../../shared/contract/lines.ts'

const HIGH = 2n ** 27n

export const ledgerOf = async (redis: Redis): Promise<(account: string) => bigint> => {
  const fields = await redis.hgetall('books')
  return (account) => BigInt(fields[`${account}:high`] ?? '0') * HIGH + BigInt(fields[account] ?? '0')
}

/** Adds up what a test reads of every hash under a prefix. */
export const sumOver = async (
  redis: Redis,
  prefix: string,
  balance: (fields: Readonly<Record<string, string>>) => bigint,
): Promise<bigint> => {
  let sum = 0n
  for (const key of await redis.keys(`${prefix}*`)) sum += balance(await redis.hgetall(key))
  return sum
}

/** How many pieces `item:quantity,item:quantity` are. */
export const pieces = (lines = ''): bigint =>
  parseLines(lines).reduce((sum, [, quantity]) => sum + BigInt(quantity), 0n)
