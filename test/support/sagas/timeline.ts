/**
 * What the logs of the services gain, as text that is the same in every run: an entry is named by its log and its place in
 * it since the story began (`payment#2`), a deadline by whether it lies ahead.
 */

import type { Redis } from 'ioredis'
import type { RawEntry } from '../../../shared/contract/raw-entry.ts'
import { PARTICIPANTS, type Participant } from '../../../shared/contract/services.ts'
import { type LogEntry, logKey, readable } from '../../../shared/log/entry.ts'

export type Timeline = {
  /** The name of an entry; those from before the story have the number 0. */
  readonly nameOf: (participant: Participant, id: string) => string
  /** What has been emitted since, a line for each entry. */
  readonly gained: (...participants: readonly Participant[]) => Promise<readonly string[]>
  /** What has been emitted by now belongs to the time before the story. */
  readonly begin: () => Promise<void>
  /** The kind of an entry, its saga if it has one, and what it is about. */
  readonly summaryOf: (entry: LogEntry) => string
  /** A line with the stream ids and times in it replaced by names. */
  readonly named: (line: string) => string
}

/** How the log ids of what has no saga begin: they are not shown. */
export const SINGLE = 'single-'
const SOON_MS = 500
const ID = /\b\d{13}-\d+\b/g
const TIME = /\b\d{13}\b/g
const SURVEY = /\bsurvey-\d{13}\b/g

/** The same of what an operator has done with a dead letter: it says of which entry that is. */
const OF_LETTER = /^letter-\d/

const sagaOf = (logId: string): readonly string[] => (logId.startsWith(SINGLE) || OF_LETTER.test(logId) ? [] : [logId])

export const openTimeline = (redis: Readonly<Record<Participant, Redis>>): Timeline => {
  const names = new Map<string, string>()
  const seen = new Map<Participant, string>()
  const counts = new Map<Participant, number>()
  const surveys: string[] = []

  const key = (participant: Participant, id: string): string => `${participant} ${id}`
  const nameOf = (participant: Participant, id: string): string => names.get(key(participant, id)) ?? `${participant}#0`

  const named = (line: string): string =>
    line
      .replace(SURVEY, (id) => {
        if (!surveys.includes(id)) surveys.push(id)
        return `survey#${surveys.indexOf(id) + 1}`
      })
      .replace(ID, (id) => {
        const owner = PARTICIPANTS.find((participant) => names.has(key(participant, id)))
        return owner ? nameOf(owner, id) : '(an earlier entry)'
      })
      .replace(TIME, '(now)')

  /** A deadline by where it lies from its entry. */
  const shown = (entry: string, name: string, value: string): string => {
    if (name !== 'deadline') return value
    const aheadMs = Number(value) - Number.parseInt(entry, 10)
    if (Math.abs(aheadMs) < SOON_MS) return 'now'
    return aheadMs > 0 ? 'ahead' : 'past'
  }

  const lineOf = (participant: Participant, entry: RawEntry): string => {
    const { kind, log_id, facts } = readable(entry)
    const pairs = Object.entries(facts).map(([name, value]) => `${name}=${shown(entry[0], name, value)}`)
    return named([nameOf(participant, entry[0]), kind, ...sagaOf(log_id), ...pairs].join(' '))
  }

  /** What a log has gained; ids only grow, also where its end was lost. */
  const news = async (participant: Participant): Promise<readonly RawEntry[]> => {
    const entries = await redis[participant].xrange(logKey(participant), `(${seen.get(participant) ?? '0-0'}`, '+')
    const last = entries.at(-1)?.[0]
    if (last !== undefined) seen.set(participant, last)
    return entries
  }

  return {
    nameOf,
    gained: async (...participants) => {
      const lines: string[] = []
      for (const participant of participants.length > 0 ? participants : PARTICIPANTS)
        for (const entry of await news(participant)) {
          const count = (counts.get(participant) ?? 0) + 1
          counts.set(participant, count)
          names.set(key(participant, entry[0]), `${participant}#${count}`)
          lines.push(lineOf(participant, entry))
        }
      return lines
    },
    begin: async () => {
      for (const participant of PARTICIPANTS) await news(participant)
    },
    summaryOf: ({ id, kind, log_id, facts }) => {
      const pairs = Object.entries(facts).map(([name, value]) => `${name}=${shown(id, name, value)}`)
      return named([kind, ...sagaOf(log_id), ...pairs].join(' '))
    },
    named,
  }
}
