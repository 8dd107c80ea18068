/** What is recorded of sagas, read behind a service's back. */

import type { Redis } from 'ioredis'
import type { Service } from '../../../shared/contract/services.ts'
import { logKey, readable } from '../../../shared/log/entry.ts'

export type Recorded = Readonly<Record<string, string>>

const PACKS = 'sagas:packed:'
const OWN = 'saga:'

/** The hash in which a record is packed. */
export const packOf = (id: string): string => `${PACKS}${id.slice(6, 9)}`

/** All keys that match, by SCAN. */
const keysOf = async (redis: Redis, pattern: string): Promise<ReadonlySet<string>> => {
  const keys = new Set<string>()
  for (let cursor = '0', done = false; !done; done = cursor === '0') {
    const [next, page] = await redis.scan(cursor, 'MATCH', pattern, 'COUNT', 2_000)
    for (const key of page) keys.add(key)
    cursor = next
  }
  return keys
}

/** The packed records, as they are: `{state} {entries}` by log id; of a checkout that order has begun `{state},{token} {entries}`. */
export const packedIn = async (redis: Redis): Promise<ReadonlyMap<string, string>> => {
  const packs = await Promise.all([...(await keysOf(redis, `${PACKS}*`))].map((key) => redis.hgetall(key)))
  return new Map(packs.flatMap((pack) => Object.entries(pack)))
}

const unpacked = async (redis: Redis, service: Service, packed: string): Promise<Recorded> => {
  const [head = '', ...entries] = packed.split(' ')
  const [state = '', token] = head.split(',')
  const said = await Promise.all(entries.map((entry) => redis.xrange(logKey(service), entry, entry)))
  const facts = said.flat().map((entry) => readable(entry).facts)
  return Object.assign({}, ...facts, { state, entries: entries.join(' ') }, token ? { token } : {})
}

/** All records by log id. A packed one is its state, its entries, and what those tell. */
export const recordsIn = async (redis: Redis, service: Service): Promise<Map<string, Recorded>> => {
  const keys = [...(await keysOf(redis, `${OWN}*`))]
  const hashes = await Promise.all(keys.map((key) => redis.hgetall(key)))
  const records = new Map<string, Recorded>(keys.map((key, at) => [key.slice(OWN.length), hashes[at] ?? {}]))
  for (const [id, packed] of await packedIn(redis)) records.set(id, await unpacked(redis, service, packed))
  return records
}

/** What is recorded of one saga, if anything is. */
export const recordOf = async (redis: Redis, service: Service, id: string): Promise<Recorded> => {
  const packed = await redis.hget(packOf(id), id)
  return packed === null ? redis.hgetall(`${OWN}${id}`) : unpacked(redis, service, packed)
}

/** Makes a record of its own of one that is packed, so that a test can tamper with it. */
export const unpackRecord = async (redis: Redis, service: Service, id: string): Promise<void> => {
  const record = (await recordsIn(redis, service)).get(id)
  if (record === undefined) throw new Error(`${service} has recorded nothing of ${id}`)
  await redis.hset(`${OWN}${id}`, { ...record })
  await redis.hdel(packOf(id), id)
}
