/**
 * How much may one client ask of the shop?
 *
 * So many reads, commands and checkouts a second, more at once after a pause, and so many things an hour that it creates. A client is
 * whom a token names, or an address: the two are known apart, so that no addresses can have those forgotten that have a token. A request
 * beyond a limit is refused here, before any service hears of it, and takes nothing of the limit that it is beyond.
 *
 * Each answer tells the limits that were looked at (`RateLimit-Policy`) and what is left (`RateLimit`), as the draft of the
 * IETF has it (draft-ietf-httpapi-ratelimit-headers-10), and a refusal also when to come again (`Retry-After`). The older three
 * fields, `X-RateLimit-*` and such, say no window and no name, so of two limits they could tell one.
 */

import type { ServerResponse } from 'node:http'
import { type Problem, problem } from '../../shared/http/problem.ts'
import { clientAt } from './address.ts'
import { type Limit, look, openClients, type Taken } from './buckets.ts'
import { createdBy, type Kind, kindOf } from './kinds.ts'

/** The limits of one client; what is missing is not limited. */
export type LimitOptions = {
  readonly [Name in Kind | 'creates']?: Limit | undefined
} & {
  /** For tests: how many clients are known at once with a token, and as many without. */
  readonly clientsMax?: number
}

/** Who asks, as far as limits go. */
export type Client = {
  readonly address: string
  /** As a service is told: `customer anna`; nothing where that is not known. */
  readonly caller?: string | undefined
}

/** Who runs the shop is not to be kept from it, and who sells may bring in as many things as there are. */
const isUnlimited = (caller: string): boolean => caller.startsWith('operator ')
const mayCreate = (caller: string): boolean => caller.startsWith('merchant ')

export type Limits = {
  /** Why a client is not served now, if it is not; the answer to come tells what is left. */
  readonly take: (method: string, path: string, client: Client, response: ServerResponse) => Problem | undefined
  /** How many clients are known. */
  readonly size: () => number
}

/** So many clients take up to 20 MB, and as many without a token. */
const CLIENTS_MAX = 50_000
const ANYBODY = 'anybody'
const NAMES = ['reads', 'commands', 'checkouts', 'creates'] as const
type Name = (typeof NAMES)[number]

/** A limit that is set, and how it is told: so many in the time in which all of them come. */
type Rule = Limit & { readonly name: Name; readonly policy: string }
/** A limit that a request meets, and how many tokens it wants. */
type Wanted = { readonly rule: Rule; readonly count: number }

const inS = (ms: number): number => Math.ceil(ms / 1_000)

const ruleOf = (name: Name, limit: Limit | undefined): Rule | undefined =>
  limit && { ...limit, name, policy: `"${name}";q=${limit.burst};w=${inS(limit.burst * limit.intervalMs)}` }

const leftIn = ({ name }: Rule, { left, fullInMs }: Taken): string => `"${name}";r=${left};t=${inS(fullInMs)}`

const tooMany = ({ name, burst }: Rule, waitMs: number): Problem =>
  problem(
    429,
    'too-many-requests',
    'Too many requests',
    Number.isFinite(waitMs)
      ? `the limit "${name}" is reached: ${burst} at once, and then as many as come back; nothing was done, send it again later`
      : `this is more than the limit "${name}" ever lets one client have, ${burst}; nothing was done`,
    { limit: name },
  )

export const openLimits = ({ clientsMax = CLIENTS_MAX, ...limits }: LimitOptions): Limits => {
  const callers = openClients(NAMES, clientsMax)
  const addresses = openClients(NAMES, clientsMax)
  const rules = {
    reads: ruleOf('reads', limits.reads),
    commands: ruleOf('commands', limits.commands),
    checkouts: ruleOf('checkouts', limits.checkouts),
    creates: ruleOf('creates', limits.creates),
  }

  const wantedBy = (method: string, path: string, caller: string): readonly Wanted[] => {
    if (isUnlimited(caller)) return []
    const wanted: Wanted[] = []
    const rule = rules[kindOf(method, path)]
    if (rule !== undefined) wanted.push({ rule, count: 1 })
    const count = rules.creates === undefined || mayCreate(caller) ? 0 : createdBy(method, path)
    if (rules.creates !== undefined && count > 0) wanted.push({ rule: rules.creates, count })
    return wanted
  }

  return {
    size: () => callers.size() + addresses.size(),
    take: (method, path, { address, caller = ANYBODY }, response) => {
      const wanted = wantedBy(method, path, caller)
      if (wanted.length === 0) return undefined
      const nowMs = performance.now()
      const buckets = caller === ANYBODY ? addresses.of(clientAt(address), nowMs) : callers.of(caller, nowMs)
      const looks = wanted.map(({ rule, count }) => ({ rule, taken: look(buckets[rule.name], rule, count, nowMs) }))
      for (const { rule, taken } of looks) buckets[rule.name] = nowMs + taken.fullInMs
      response.setHeader('RateLimit-Policy', looks.map(({ rule }) => rule.policy).join(', '))
      response.setHeader('RateLimit', looks.map(({ rule, taken }) => leftIn(rule, taken)).join(', '))
      const refused = looks.find(({ taken }) => !taken.isGiven)
      if (refused === undefined) return undefined
      const { waitMs } = refused.taken
      if (Number.isFinite(waitMs)) response.setHeader('Retry-After', String(inS(waitMs)))
      return tooMany(refused.rule, waitMs)
    },
  }
}
