/** What lies in a Redis, read and changed behind the back of whatever works on it. */
import type { ExecutionContext } from 'ava'
import { Redis } from 'ioredis'

type Place = { readonly url: string }

/** A connection that waits for as long as it takes. It ends with the test, if one is named. */
export const lookInto = ({ url }: Place, t?: ExecutionContext): Redis => {
  const redis = new Redis(url)
  redis.on('error', (error: Error) => error)
  t?.teardown(() => redis.disconnect())
  return redis
}

/** The same for as long as some work lasts. */
export const behind = async <Result>(place: Place, work: (redis: Redis) => Promise<Result>): Promise<Result> => {
  const redis = lookInto(place)
  try {
    return await work(redis)
  } finally {
    redis.disconnect()
  }
}
