/**
 * Asks a running shop whether its money and goods are all there: `npm run audit`.
 *
 * It ends with 0 if they are, with 1 if something does not add up, and with 2 if the shop could not be asked.
 */
import { parseArgs } from 'node:util'
import { askShop, DEFAULT_URL, ShopError, sentenceOf } from './ask-shop.ts'

const HELP = `Adds up the money and goods of a running shop, without stopping it, with the checkouts in flight accounted for.

  npm run audit -- [--url URL] [--token TOKEN] [--json]

  --url URL        where the shop is (default ${DEFAULT_URL})
  --token TOKEN    the operators' token (default: the variable OPERATOR_TOKEN)
  --json           the answer as it is
  --help           this text

It ends with 0 if all is there, with 1 if something does not add up, and with 2 if the shop could not be asked.`

const UNBALANCED = 1
const NOT_ASKED = 2
/** Longer than the gateway lets an answer take. */
const TIMEOUT_MS = 40_000

type Sums = Readonly<Record<string, string>>
type Audit = {
  readonly balanced: boolean
  readonly credit: Sums
  readonly stock: Sums
  readonly documents?: Readonly<Record<'invoiced' | 'credited' | 'undocumented', string>> & { readonly gaps: number }
  readonly in_flight: number
  readonly mismatches: readonly { readonly what: string; readonly detail: string; readonly orders: readonly string[] }[]
}

/** @throws ShopError if there is no answer, or another one. */
const audited = async (url: string, token: string): Promise<Audit> => {
  const answer = await askShop({ url, token, timeoutMs: TIMEOUT_MS })('GET', '/audit')
  if (answer.status !== 200) throw new ShopError(`the shop cannot be audited now: ${sentenceOf(answer)}`)
  return answer.body as Audit
}

/** What was accepted is paid by an order and nowhere else: see the `accept` of `npm run saga`. */
const line = (name: string, { added, accepted = '0', in_flight, written_off = '0', ...rest }: Sums): string => {
  const sums = Object.entries(rest).map(([where, sum]) => `${sum} ${where}`)
  if (written_off !== '0') sums.push(`${written_off} written off`)
  const without = accepted === '0' ? '' : ` - ${accepted} accepted`
  return `${name.padEnd(8)}${added} added = ${sums.join(' + ')}${without} + ${in_flight} in flight`
}

const documentsIn = ({ invoiced, credited, undocumented, gaps }: NonNullable<Audit['documents']>): string => {
  const before = undocumented === '0' ? '' : `, and ${undocumented} charged before there were invoices`
  return `documents: ${invoiced} invoiced - ${credited} credited${before}; ${gaps === 0 ? 'no number is missing' : `${gaps} numbers are missing`}`
}

const told = ({ balanced, credit, stock, documents, in_flight, mismatches }: Audit): string =>
  [
    line('credit', credit),
    line('stock', stock),
    ...(documents ? [documentsIn(documents)] : []),
    `${in_flight} checkouts in flight; ${balanced ? 'nothing is missing' : 'this does not add up:'}`,
    ...mismatches.map(
      ({ what, detail, orders }) => `  ${what}: ${detail}${orders.length > 0 ? ` (orders ${orders.join(', ')})` : ''}`,
    ),
  ].join('\n')

const main = async (): Promise<void> => {
  const { url, token, json, help } = parseArgs({
    options: {
      url: { type: 'string', default: DEFAULT_URL },
      token: { type: 'string', default: process.env.OPERATOR_TOKEN ?? '' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  }).values
  if (help) return console.log(HELP)
  const audit = await audited(url, token)
  console.log(json ? JSON.stringify(audit, null, 2) : told(audit))
  if (!audit.balanced) process.exitCode = UNBALANCED
}

await main().catch((error: Error & { code?: string }) => {
  const isUsage = error.code?.startsWith('ERR_PARSE_ARGS') ?? false
  const isKnown = isUsage || error instanceof ShopError
  console.error(
    isUsage ? `${error.message}; npm run audit -- --help shows the options` : isKnown ? error.message : error,
  )
  // Whatever went wrong: 1 would say that money is missing.
  process.exitCode = NOT_ASKED
})
