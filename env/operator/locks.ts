/**
 * An operator's words for locks: `npm run locks`.
 *
 * Each asks the running shop over its gateway. `force` ends a lease whose holder is told so when it asks next; what it does
 * meanwhile only a resource that compares tokens refuses. Exit codes: 0 it was done, 1 it was refused, 2 it could not be asked or
 * answered.
 */
import type { Holder, LockDetails, LockInfo } from '../../ids/lock/client/reading.ts'
import { readLine, UsageError } from '../command-line.ts'
import { type Ask, askShop, DEFAULT_URL, ShopError, sentenceOf, wanted } from './ask-shop.ts'
import { clock, columns, printable } from './in-words.ts'
import { FAILED, REFUSED, type Result } from './verb.ts'

const HELP = `An operator's words for locks.

  npm run locks -- list            who holds what, and how many wait; --name 'order:*' of these locks only
  npm run locks -- explain NAME    who holds a lock, who waits for it, and what happened to it lately
  npm run locks -- force NAME      end what holds it, so that the next in line gets it; --waiters ends those that wait, too;
                                   --only TOKEN ends the lease with this token only

  --url URL        where the shop is (default ${DEFAULT_URL})
  --token TOKEN    the operator's token (default: the variable OPERATOR_TOKEN)
  --json           for machines
  --help           this text

Exit codes: 0 done, 1 refused, 2 not asked or not answered.`

type Given = { readonly name?: string | undefined; readonly waiters: boolean; readonly only?: string | undefined }
type Verb = (ask: Ask, name: string, given: Given) => Promise<Result>

const SERVICE = 'ids'
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`
const ownerOf = ({ owner }: Pick<Holder, 'owner'>): string => owner ?? 'nobody named'
const pathOf = (name: string): string => `/locks/${encodeURIComponent(name)}`

/** No lock is named so, and a URL takes some of these for the way to something else. */
const NO_NAMES: readonly string[] = ['', '-', '.', '..']

const list: Verb = async (ask, _, { name }) => {
  const locks: LockInfo[] = []
  for (let after: string | null = ''; after !== null; ) {
    const query = new URLSearchParams({ limit: '1000', ...(name && { name }), ...(after && { after }) })
    const page = wanted<{ locks: readonly LockInfo[]; next: string | null }>(
      SERVICE,
      await ask('GET', `/locks?${query}`),
    )
    locks.push(...page.locks)
    after = page.next
  }
  const rows = locks.map((lock) => [
    printable(lock.name),
    lock.state,
    lock.holders.map((one) => `${printable(ownerOf(one))} (${one.mode}, ${seconds(one.expires_in_ms)})`).join(', '),
    lock.waiter_count === 0 ? '' : `${lock.waiter_count} waiting`,
  ])
  return { lines: locks.length === 0 ? ['there are no locks'] : columns(rows), json: locks }
}

const explain: Verb = async (ask, name) => {
  const lock = wanted<LockDetails>(SERVICE, await ask('GET', `${pathOf(name)}?waiters=true`))
  const { waiters = [] } = lock
  const configured = [
    ...(lock.limit === null ? [] : [`${lock.limit} permits`]),
    ...(lock.write === null ? [] : [`${lock.write} writers`]),
    ...(lock.delayed_for_ms === 0 ? [] : [`delayed for ${seconds(lock.delayed_for_ms)}`]),
  ]
  const lines = [
    [`${printable(lock.name)} is ${lock.state}`, ...configured, `its last token is ${lock.token}`].join(', '),
    ...lock.holders.map((one) => {
      const facts = Object.entries(one.metadata).map(([key, value]) => `${key}=${value}`)
      const what = `  held by ${ownerOf(one)} as ${one.mode} since ${clock(one.acquired_at)}, for ${seconds(one.expires_in_ms)} more, token ${one.token}`
      return printable([what, ...facts].join(' '))
    }),
    ...waiters.map((one, at) =>
      printable(
        `  ${at + 1}. in line: ${ownerOf(one)} as ${one.mode} since ${clock(one.since)}, priority ${one.priority}`,
      ),
    ),
    ...lock.history.map(({ at, event, owner, token }) =>
      printable(`  ${clock(at)} ${event} ${owner ?? ''}${token === null ? '' : ` token ${token}`}`),
    ),
  ]
  return { lines, json: lock }
}

const force: Verb = async (ask, name, { waiters, only }) => {
  const query = new URLSearchParams({ waiters: String(waiters), ...(only !== undefined && { token: only }) })
  const answer = await ask('DELETE', `${pathOf(name)}?${query}`)
  if (answer.status === 410) return { lines: [sentenceOf(answer)], json: answer.body, code: REFUSED }
  const done = wanted<{ forced: number[]; promoted: number[]; dropped: number }>(SERVICE, answer)
  const said = [
    done.forced.length === 0 ? 'nobody held it' : `ended the tokens ${done.forced.join(', ')}`,
    ...(done.dropped === 0 ? [] : [`${done.dropped} no longer wait`]),
    ...(done.promoted.length === 0 ? [] : [`the next in line has the tokens ${done.promoted.join(', ')}`]),
  ]
  return { lines: [`${printable(name)}: ${said.join('; ')}`], json: done }
}

const VERBS: Readonly<Record<string, { readonly verb: Verb; readonly wantsName: boolean }>> = {
  list: { verb: list, wantsName: false },
  explain: { verb: explain, wantsName: true },
  force: { verb: force, wantsName: true },
}

const run = async (args: string[]): Promise<Result> => {
  const option = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const { values, positionals } = readLine({
    args,
    allowPositionals: true,
    options: {
      url: option,
      token: option,
      name: option,
      only: option,
      waiters: flag,
      json: flag,
      help: { ...flag, short: 'h' },
    },
  })
  if (values.help) return { lines: [HELP], json: HELP }
  const [word = '', ...names] = positionals
  if (!Object.hasOwn(VERBS, word)) throw new UsageError(word === '' ? 'say what to do' : `there is no "${word}"`)
  const { verb, wantsName } = VERBS[word] as (typeof VERBS)[string]
  if (names.length !== (wantsName ? 1 : 0))
    throw new UsageError(`"${word}" wants ${wantsName ? 'the name of a lock' : 'nothing more'}`)
  const [lock] = names
  if (lock !== undefined && NO_NAMES.includes(lock)) throw new UsageError(`no lock is named "${lock}"`)
  const { url = DEFAULT_URL, token = process.env.OPERATOR_TOKEN ?? '', name, only, waiters = false } = values
  // Without a token `force` ends all that hold: an empty one is an oversight.
  if (only !== undefined && !/^[1-9]\d*$/.test(only)) throw new UsageError(`--only wants a token, not "${only}"`)
  const result = await verb(askShop({ url, token }), lock ?? '', { name, only, waiters })
  return values.json ? { ...result, lines: [JSON.stringify(result.json, null, 2)] } : result
}

const main = async (): Promise<void> => {
  const { lines, code = 0 } = await run(process.argv.slice(2))
  process.stdout.write(`${lines.join('\n')}\n`)
  process.exitCode = code
}

await main().catch((error: unknown) => {
  const isKnown = error instanceof UsageError || error instanceof ShopError
  const hint = error instanceof UsageError ? '; --help shows what can be said' : ''
  console.error(isKnown ? `${error.message}${hint}` : error)
  process.exitCode = FAILED
})
