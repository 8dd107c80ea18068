/**
 * An operator's words for checkouts and for what could not be applied: `npm run saga`, `npm run dead`.
 *
 * Each word asks the running shop over its gateway. None rewrites anything: `retry`, `cancel`, `resolve` and `dismiss` have the
 * services run commands of their own, which check and append. Exit codes: 0 it was done or there was nothing to do, 1 it was
 * refused, or there is no such thing, 2 it could not be asked or answered; then one sentence on standard error says why.
 */

import { styleText } from 'node:util'
import { PREFIXES, SERVICES, type Service } from '../../shared/contract/services.ts'
import { readLine, UsageError } from '../command-line.ts'
import { askShop, DEFAULT_URL, isUnknown, ShopError, sentenceOf, UnknownError } from './ask-shop.ts'
import { findSubject, gather, isUnresolved, type Letter, lettersOf, viewsOf } from './explain.ts'
import { clock, columns, inWords } from './in-words.ts'
import { list, resolve } from './trouble.ts'
import { FAILED, logIdOf, REFUSED, type Result, type Verb } from './verb.ts'

const HELP = `An operator's words for checkouts, and for what could not be applied.

  npm run saga -- explain ORDER        what happened to an order and its checkouts and refunds, how they stand, what comes
                                       next; --all looks for it in all of a long log
  npm run saga -- retry ORDER          have done at once what the log parser would do
  npm run saga -- cancel ORDER         give the checkout up, unless it is decided
  npm run saga -- list                 which checkouts hang, and which are contradicted, the oldest first
  npm run saga -- resolve ORDER        end a contradiction: with --refund undo what is left of the checkout, so that the
                                       order is not paid, or with --accept "why" leave it as it is; --why "..." tells why
                                       it is refunded
  npm run dead -- list                 the entries that wait to be applied; --all also those that do no longer
  npm run dead -- retry SERVICE:ID     apply one after all, once its cause is mended
  npm run dead -- dismiss SERVICE:ID   give one up for good, because it is never to be applied

  ORDER may also be the log id of a checkout or a refund, which is then meant alone.

  --url URL        where the shop is (default ${DEFAULT_URL})
  --token TOKEN    the operator's token (default: the variable OPERATOR_TOKEN)
  --json           for machines
  --help           this text

Exit codes: 0 done, 1 refused, or there is no such thing, 2 not asked or not answered.`

const explain: Verb = async (ask, id, { all }) => {
  const explanation = await gather(ask, await findSubject(ask, id), all)
  return { lines: inWords(explanation), json: explanation }
}

/** What came of a retry, by the result of the command. */
const DONE: Readonly<Record<string, string>> = {
  told: 'said its last entry again',
  served: 'looked again whether it can be answered',
  cancelled: 'cancelled it',
  decided: 'had decided it already',
  dropped: 'took it out of its index: nothing is to be done',
  finished: 'had finished it already',
  unknown: 'knows nothing of it any more',
}

const retry: Verb = async (ask, id) => {
  const log_id = await logIdOf(ask, id)
  const views = await viewsOf(ask, log_id)
  const lines: string[] = []
  const done: Partial<Record<Service, string>> = {}
  let code = 0
  for (const view of views) {
    if (view.is === 'away') {
      lines.push(`${view.service} does not answer (${view.why})`)
      code = FAILED
    }
    if (view.is !== 'known' || !view.standing.unfinished) continue
    const answer = await ask('POST', `/${PREFIXES[view.service]}/retry/${log_id}`)
    const result = answer.status === 200 ? (answer.body as { done: string }).done : undefined
    if (result === undefined) code = FAILED
    else done[view.service] = result
    lines.push(`${view.service} ${result === undefined ? `did not: ${sentenceOf(answer)}` : (DONE[result] ?? result)}`)
  }
  if (lines.length === 0) lines.push(`checkout ${log_id} is finished everywhere: nothing is to be done`)
  return { lines, json: { log_id, done }, code }
}

const cancel: Verb = async (ask, id) => {
  const log_id = await logIdOf(ask, id)
  const answer = await ask('POST', `/orders/cancel/${log_id}`)
  if (answer.status === 200)
    return { lines: [`checkout ${log_id} is cancelled; what was done for it is being undone`], json: answer.body }
  if (answer.status >= 500) throw new ShopError(`order does not answer (${sentenceOf(answer)})`)
  return { lines: [sentenceOf(answer)], json: answer.body, code: REFUSED }
}

/** What became of a letter that waits no longer. */
const endInWords = ({ applied, dismissed }: Letter): string => {
  if (applied) return `applied ${clock(applied.at)} (${applied.word}); was: `
  return dismissed === null ? '' : `dismissed ${clock(dismissed)}; was: `
}

const letterInWords = (letter: Letter): readonly string[] => {
  const { name, at, speaker, kind, log_id, error } = letter
  return [name, clock(at), speaker, kind || '-', log_id || '-', `${endInWords(letter)}${error}`]
}

const deadList: Verb = async (ask, _what, { all }) => {
  const found = await Promise.allSettled(SERVICES.map((service) => lettersOf(ask, service)))
  const letters = found.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
  const shown = letters.filter((letter) => all || isUnresolved(letter))
  const failures = found.flatMap((one) => (one.status === 'rejected' ? [one.reason as Error] : []))
  const unexpected = failures.find((failure) => !(failure instanceof ShopError))
  if (unexpected) throw unexpected
  // Where no service answers, one sentence is enough.
  if (failures.length === SERVICES.length) throw failures[0] as Error
  const [header = '', ...rows] = columns([
    ['letter', 'at', 'speaker', 'kind', 'log id', 'error'],
    ...shown.map(letterInWords),
  ])
  return {
    lines: [
      ...(rows.length > 0
        ? [styleText('dim', header), ...rows]
        : [`${failures.length > 0 ? 'as far as could be asked, ' : ''}no entry waits to be applied`]),
      ...failures.map(({ message }) => message),
    ],
    json: { letters: shown, away: failures.map(({ message }) => message) },
    code: failures.length > 0 ? FAILED : 0,
  }
}

/** Has a service do something with a dead letter; `route` is where it is asked, `done` words what it answers. */
const withLetter =
  <Done>(route: string, done: (answer: Done) => string): Verb =>
  async (ask, name) => {
    const [, service, id] = /^(ids|order|payment|stock):(\d{1,15}-\d{1,15})$/.exec(name) ?? []
    if (service === undefined)
      throw new UsageError(`"${name}" is no dead letter: they are named as payment:1700000000000-0`)
    const answer = await ask('POST', `/${PREFIXES[service as Service]}/${route}/${id}`)
    if (answer.status === 200) return { lines: [`${name} ${done(answer.body as Done)}`], json: answer.body }
    if (isUnknown(answer)) throw new UnknownError(`there is no dead letter ${name}`)
    if (answer.status >= 500) throw new ShopError(`${service} does not answer (${sentenceOf(answer)})`)
    return { lines: [`${name}: ${sentenceOf(answer)}`], json: answer.body, code: REFUSED }
  }

const deadRetry = withLetter<{ word: string; repeated: boolean }>(
  'retry_dead_letter',
  ({ word, repeated }) => `${repeated ? 'was applied before' : 'is applied'}: ${word}`,
)

const deadDismiss = withLetter<{ repeated: boolean }>('dismiss_dead_letter', ({ repeated }) =>
  repeated ? 'was dismissed before' : 'is dismissed',
)

/** What is said on the command line, and whether it wants to be told what about. */
const VERBS: Readonly<Record<string, { readonly verb: Verb; readonly wants?: string }>> = {
  explain: { verb: explain, wants: 'an order or a log id' },
  retry: { verb: retry, wants: 'an order or a log id' },
  cancel: { verb: cancel, wants: 'an order or a log id' },
  list: { verb: list },
  resolve: { verb: resolve, wants: 'an order or a log id' },
  'dead list': { verb: deadList },
  'dead retry': { verb: deadRetry, wants: 'the name of a dead letter' },
  'dead dismiss': { verb: deadDismiss, wants: 'the name of a dead letter' },
}

/** The form of an id that the shop has made and that looks like an option: one of 64 begins with a dash. */
const ID_WITH_DASH = /^-[\w-]{20}$/

/** The line as `parseArgs` takes it: an id that looks like an option goes behind the end of the options. */
const withIdLast = (line: readonly string[]): string[] => {
  const at = line.findIndex((word, n) => ID_WITH_DASH.test(word) && line[n - 1] !== '--token')
  const id = line[at]
  return id === undefined || line.includes('--') ? [...line] : [...line.toSpliced(at, 1), '--', id]
}

const parseLine = (line: readonly string[]) => {
  const option = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  return readLine({
    args: withIdLast(line),
    allowPositionals: true,
    options: {
      url: option,
      token: option,
      accept: option,
      why: option,
      json: flag,
      all: flag,
      refund: flag,
      help: { ...flag, short: 'h' },
    },
  })
}

const verbOf = (positionals: readonly string[]) => {
  const count = positionals[0] === 'dead' ? 2 : 1
  const name = positionals.slice(0, count).join(' ')
  const rest = positionals.slice(count)
  // `npm run dead` has said its first word by itself.
  if (name === '' || name === 'dead') throw new UsageError('say what to do')
  if (!Object.hasOwn(VERBS, name)) throw new UsageError(`there is no "${name}"`)
  const { verb, wants } = VERBS[name] as (typeof VERBS)[string]
  if (rest.length !== (wants === undefined ? 0 : 1)) throw new UsageError(`"${name}" wants ${wants ?? 'nothing more'}`)
  return { verb, what: rest[0] ?? '' }
}

const run = async (line: readonly string[]): Promise<Result> => {
  const { values, positionals } = parseLine(line)
  if (values.help) return { lines: [HELP], json: HELP }
  const { verb, what } = verbOf(positionals)
  const { url = DEFAULT_URL, token = process.env.OPERATOR_TOKEN ?? '', json = false } = values
  const { all = false, refund = false, accept, why } = values
  const result = await verb(askShop({ url, token }), what, {
    all,
    refund,
    ...(accept === undefined ? {} : { accept }),
    ...(why === undefined ? {} : { why }),
  })
  return json ? { ...result, lines: [JSON.stringify(result.json, null, 2)] } : result
}

const fail = (error: unknown): void => {
  const isKnown = error instanceof UsageError || error instanceof ShopError
  const hint = error instanceof UsageError ? '; --help shows what can be said' : ''
  console.error(isKnown ? `${error.message}${hint}` : error)
  // Whatever else went wrong: another code would say what the shop has answered.
  process.exitCode = error instanceof UnknownError ? REFUSED : FAILED
}

const main = async (): Promise<void> => {
  const { lines, code = 0 } = await run(process.argv.slice(2))
  process.stdout.write(`${lines.join('\n')}\n`)
  process.exitCode = code
}

await main().catch(fail)
