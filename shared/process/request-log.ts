/**
 * Which requests are logged though nothing is remarkable about them?
 *
 * None, or one in so many (`LOG_REQUESTS`): by the id of the request, so that all processes that it comes by log the same ones.
 */
import type { Setting } from './config.ts'

const ONE_IN_MAX = 1_000_000

/** `off` is 0. */
export const logRequests: Setting<number> = {
  variable: 'LOG_REQUESTS',
  parse: (text) => {
    if (text === 'off') return 0
    const oneIn = /^1\/[1-9]\d{0,6}$/.test(text) ? Number(text.slice(2)) : Number.NaN
    if (!(oneIn <= ONE_IN_MAX)) throw new Error(`must be "off", or 1/n with an n up to ${ONE_IN_MAX}, not "${text}"`)
    return oneIn
  },
  fallback: 0,
}

export type IsSampled = (requestId: string) => boolean

/** FNV-1a, 32 bits. */
const hashOf = (text: string): number => {
  let hash = 2_166_136_261
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 16_777_619)
  return hash >>> 0
}

export const openSampling = (oneIn: number): IsSampled => {
  if (oneIn === 0) return () => false
  return (requestId) => hashOf(requestId) % oneIn === 0
}

/** A duration as it is logged. */
export const roundedMs = (ms: number): number => Math.round(ms * 10) / 10
