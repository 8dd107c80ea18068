/**
 * Where shall this process die?
 *
 * Only in tests and drills, where `CRASH_POINTS` is set. A process passes a named point before and after each step that
 * touches another process (see `step.ts`). A point that is *armed* is *hit* at its n-th passing, once, by a fault:
 *
 * - `kill`: the process ends as by kill -9;
 * - `freeze`: it stops as by SIGSTOP, until it is woken;
 * - `lose-reply`: the step was done, and its answer is thrown away: the caller sees what a cut connection would show it.
 *
 * `CRASH_POINTS` is a list, by commas, of `{point}:{n}:{fault}`, `record` (each passing is reported to the parent) or
 * `listen`. While it is set the parent may also arm points by messages, and gets a message of each hit before the fault happens.
 */
import { UnavailableError } from '../errors.ts'
import type { Setting } from './config.ts'

const FAULTS = ['kill', 'freeze', 'lose-reply'] as const
export type Fault = (typeof FAULTS)[number]

/** The n-th passing from now on, counted from 1, is hit by the fault. */
export type Armed = { readonly point: string; readonly nth: number; readonly fault: Fault }

export type CrashPlan = { readonly record: boolean; readonly armed: readonly Armed[] }

/** What the parent may want: other points than before, none of them, and whether passings are reported. */
export type Instruction = { readonly type: 'crash-points' } & CrashPlan
/** What is reported to the parent. It answers an instruction: from now on that counts. */
export type Notice =
  | { readonly type: 'crash-points-ready' }
  | { readonly type: 'passed'; readonly point: string }
  | ({ readonly type: 'hit' } & Armed)

/** What crash points need of the process. */
export type Host = {
  readonly signal: (signal: 'SIGKILL' | 'SIGSTOP') => void
  /** Tells the parent, before it returns. */
  readonly tell: (told: Notice) => void
  readonly onInstruction: (obey: (instruction: Instruction) => void) => void
}

export type CrashPoints = {
  /** To be called where a point is passed; returns, unless the fault prevents that. @throws LostReplyError */
  readonly pass: (point: string) => void
}

/** The reply of a step was thrown away, as if its connection had been cut after it was done. */
export class LostReplyError extends UnavailableError {}

const ARMED = /^([a-z-]+(?:\.[a-z-]+)+\.(?:before|after)):([1-9]\d{0,5}):([a-z-]+)$/

const parseArmed = (word: string): Armed => {
  const [, point = '', nth = '', fault = ''] = ARMED.exec(word) ?? []
  const known = FAULTS.find((one) => one === fault)
  if (known === undefined || (known === 'lose-reply' && !point.endsWith('.after')))
    throw new Error(
      `must be a list of "record", "listen" and points like "{service}.{step}.after:1:kill" (${FAULTS.join(', ')}; a reply is lost after a step only), not "${word}"`,
    )
  return { point, nth: Number(nth), fault: known }
}

/** The setting; `off` unless it is set. */
export const crashPlan: Setting<CrashPlan | 'off'> = {
  variable: 'CRASH_POINTS',
  parse: (text) => {
    const words = text.split(',').map((word) => word.trim())
    return {
      record: words.includes('record'),
      armed: words.filter((word) => word !== 'record' && word !== 'listen').map(parseArmed),
    }
  },
  fallback: 'off',
}

export const crashPoints = (plan: CrashPlan, host: Host): CrashPoints => {
  let record = false
  let armed: (Armed & { left: number })[] = []

  const obey = (wanted: CrashPlan): void => {
    record = wanted.record
    armed = wanted.armed.map((one) => ({ ...one, left: one.nth }))
  }
  obey(plan)
  host.onInstruction((instruction) => {
    obey(instruction)
    host.tell({ type: 'crash-points-ready' })
  })

  const suffer = (hit: Armed): void => {
    host.tell({ type: 'hit', ...hit })
    switch (hit.fault) {
      case 'kill':
        return host.signal('SIGKILL')
      case 'freeze':
        return host.signal('SIGSTOP')
      case 'lose-reply':
        throw new LostReplyError(`the reply at ${hit.point} was lost`)
    }
  }

  return {
    pass: (point) => {
      if (record) host.tell({ type: 'passed', point })
      for (const one of armed) {
        if (one.point !== point) continue
        one.left -= 1
        if (one.left !== 0) continue
        const { left: _, ...hit } = one
        suffer(hit)
      }
    },
  }
}
