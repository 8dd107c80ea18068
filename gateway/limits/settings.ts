/** How are limits set, and which hold where none is? */
import type { Setting } from '../../shared/process/config.ts'
import { type Proxies, proxiesIn } from './address.ts'
import type { Limit } from './buckets.ts'
import { type Limits, openLimits } from './limits.ts'

/** A limit as it was set; `usual` where nothing was said. */
export type SetLimit = Limit | 'off' | 'usual'
type Named<Value> = { readonly [Name in 'reads' | 'commands' | 'checkouts' | 'creates']: Value }

const HOUR_MS = 3_600_000
const MOST = 1_000_000

const perSecond = (rate: number, burst: number): Limit => ({ burst, intervalMs: 1_000 / rate })
const perHour = (count: number): Limit => ({ burst: count, intervalMs: HOUR_MS / count })

/** A customer does not come near them, nor does a program that paces itself. */
const USUAL: Named<Limit> = {
  reads: perSecond(50, 200),
  commands: perSecond(20, 100),
  checkouts: perSecond(10, 50),
  creates: perHour(1_000),
}

const isCount = (count: number): boolean => Number.isInteger(count) && count >= 1 && count <= MOST

const limit = (variable: string, form: string, numbers: number, limitOf: (...counts: number[]) => Limit) => {
  const setting: Setting<SetLimit> = {
    variable,
    parse: (text) => {
      if (text === 'off') return 'off'
      const counts = /^\d{1,7}(,\d{1,7})?$/.test(text) ? text.split(',').map(Number) : []
      if (counts.length !== numbers || !counts.every(isCount))
        throw new Error(`must be ${form}, each from 1 to ${MOST}, or "off", not "${text}"`)
      return limitOf(...counts)
    },
    fallback: 'usual',
  }
  return setting
}

/** So many a second, and so many at once. */
const rate = (variable: string): Setting<SetLimit> =>
  limit(variable, '"20,100": so many a second, and so many at once', 2, (perS = 1, burst = 1) => perSecond(perS, burst))

export const limitSettings = {
  reads: rate('LIMIT_READS'),
  commands: rate('LIMIT_COMMANDS'),
  checkouts: rate('LIMIT_CHECKOUTS'),
  creates: limit('LIMIT_CREATES', '"1000": so many an hour', 1, (count = 1) => perHour(count)),
}

/** The proxies whose word on their clients is taken. */
export const trustedProxies: Setting<Proxies> = {
  variable: 'TRUSTED_PROXIES',
  parse: (text) => proxiesIn(text.split(',').map((range) => range.trim())),
  fallback: proxiesIn([]),
}

/** The limits that hold, if there are any. @param isGuarded whether the usual ones do, where nothing was said */
export const limitsFrom = (set: Named<SetLimit>, isGuarded: boolean): Limits | undefined => {
  const held = (limit: SetLimit, usual: Limit): Limit | undefined => {
    if (limit === 'usual') return isGuarded ? usual : undefined
    return limit === 'off' ? undefined : limit
  }
  const limits = {
    reads: held(set.reads, USUAL.reads),
    commands: held(set.commands, USUAL.commands),
    checkouts: held(set.checkouts, USUAL.checkouts),
    creates: held(set.creates, USUAL.creates),
  }
  return Object.values(limits).some((limit) => limit !== undefined) ? openLimits(limits) : undefined
}
