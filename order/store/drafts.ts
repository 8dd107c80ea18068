/** What has payment drafted for an order? */
import type { Redis } from 'ioredis'
import { knownResult } from '../../shared/redis/command.ts'
import type { Reply } from '../../shared/redis/script.ts'
import type { Dependencies } from '../../shared/service.ts'
import { noteDraft } from '../drafts/commands.ts'
import type { Drafted } from '../drafts/drafts.ts'
import { listen } from './channel.ts'
import { names } from './keys.ts'

export type DraftStore = {
  /** Which version of an order is drafted; 0 if none is. @throws UnavailableError */
  readonly draftedVersion: (order: string) => Promise<number>
  /** Was a draft announced to other replicas, by what was returned to payment's entry of it? `undefined` if none was noted. */
  readonly wasAnnounced: (reply: Reply) => boolean | undefined
  /** Reads what comes over the channel of drafts. */
  readonly watchDrafts: (subscriber: Redis, onDrafted: (drafted: Drafted) => void) => void
}

export const openDraftStore = ({ redis, step }: Pick<Dependencies, 'redis' | 'step'>): DraftStore => ({
  draftedVersion: async (order) =>
    Number.parseInt((await step('drafted', () => redis.hget(names.order + order, 'draft'))) ?? '0', 10),
  wasAnnounced: (reply) => {
    const result = knownResult({ drafted: noteDraft.returns.drafted }, reply)
    return result && result[1] === 'all'
  },
  watchDrafts: (subscriber, onDrafted) => {
    listen(step, subscriber, names.drafts, (message) => {
      const [order = '', version = ''] = message.split(' ')
      onDrafted({ order, version: Number(version) })
    })
  },
})
