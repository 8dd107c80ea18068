/**
 * What does a first visit to the shop look like? `npm run visit`
 *
 * It is the one that the READMEs show, read from there and made line by line: each request as a line of curl that can be sent again, and
 * below it what the shop answers. It ends at the first answer that is not as the READMEs have it, for what comes next builds on it.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { styleText } from 'node:util'
import { readLine, UsageError } from '../command-line.ts'

const ROOT = join(import.meta.dirname, '../..')
const DEFAULT_URL = 'http://127.0.0.1:8000'
/** Which README has each part of the visit, in their order, and how the part begins. */
const PARTS = [
  ['README.md', `SHOP=${DEFAULT_URL}\n`],
  ['gateway/README.md', 'ask -X POST $SHOP/payment/pay/'],
] as const

/** An answer may be long: so much of it is shown. */
const SHOWN_BYTES = 1_000

const HELP = `Makes the visit that the README shows, and shows each request and its answer.

  npm run visit -- [--url URL] [--token TOKEN]

  --url URL        where the shop is (default ${DEFAULT_URL})
  --token TOKEN    of an operator, where clients bear tokens
  --help           this text

At its end it makes the users, items and orders 0 to 99 anew, as an operator may (batch_init): those that there are lose what they have.`

/** One request: how it is asked for, which field of the answer is kept under which name, and what is said of it. */
type Request = { readonly asks: string; readonly keeps?: string; readonly field?: string; readonly remark?: string }
/** A line that is run as it is, and tells nothing; or what stands above the next ones. */
type Line = Request | { readonly runs: string } | { readonly heading: string }

const partOf = async (readme: string, beginning: string): Promise<string> => {
  const blocks = (await readFile(join(ROOT, readme), 'utf8')).matchAll(/^```sh\n(.*?)^```$/gms)
  const part = [...blocks].map(([, text = '']) => text).find((text) => text.startsWith(beginning))
  if (part === undefined) throw new Error(`${readme} shows no part of the visit that begins with ${beginning}`)
  return part
}

/** The whole visit as the READMEs print it. */
export const readVisit = async (): Promise<string> =>
  (await Promise.all(PARTS.map(([readme, beginning]) => partOf(readme, beginning)))).join('\n')

const KEEPING = /^([A-Z_]+)=\$\(ask (.*) \| value (\w+)\)$/
const ASKING = /^ask (.*?)(?:\s+# (.*))?$/

export const linesOf = (visit: string): readonly Line[] =>
  visit
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      if (line.startsWith('#')) return { heading: line.slice(1).trim() }
      const [isKeeping, keeps = '', asked = '', field = ''] = KEEPING.exec(line) ?? []
      if (isKeeping !== undefined) return { asks: asked, keeps, field }
      const [isAsking, asks = '', remark] = ASKING.exec(line) ?? []
      if (isAsking !== undefined) return remark === undefined ? { asks } : { asks, remark }
      return { runs: line }
    })

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
/** A text in which the shell puts what it knows in place of names. */
const filled = (text: string): string => `"${text.replaceAll(/["\\`]/g, '\\$&')}"`

const scriptOf = (line: Line): string => {
  if ('runs' in line) return line.runs
  if ('heading' in line) return `printf '\\n%s\\n' ${quoted(styleText('bold', line.heading))}`
  const { asks, keeps, field, remark } = line
  // A shell takes `?` for something else, unless it is quoted.
  const shown = asks.replace(/(?<!")(\$SHOP\S*\?\S*)/, "'$1'")
  const told = remark === undefined ? '' : styleText('dim', `   # ${remark}`)
  const curl = `printf '\\n%s%s\\n' ${filled(`curl ${shown}`)} ${quoted(told)}`
  const answer = `ANSWER=$(ask ${asks}); show ${/^\d{3}/.exec(remark ?? '') ?? '2??'}`
  return [curl, answer, ...(keeps ? [`${keeps}=$(printf '%s' "$ANSWER" | value ${field})`] : [])].join('\n')
}

/**
 * Behind each answer stands its status, on a line of its own. One that is not as it is to be is told to who reads file 3, and
 * ends the visit.
 */
const SHOW = `NEWLINE='
'
show() {
  STATUS=\${ANSWER##*"$NEWLINE"} ANSWER=\${ANSWER%"$NEWLINE"*}
  printf '%.${SHOWN_BYTES}s\\n' "$ANSWER"
  [ \${#ANSWER} -le ${SHOWN_BYTES} ] || printf '... and so on: %s characters in all\\n' \${#ANSWER}
  case $STATUS in $1) return ;; esac
  printf %s "$STATUS" >&3
  exit 1
}`

/** The visit to the shop at this address as a script for `sh`, which shows what it does. */
const visitScript = async (url: string, token: string): Promise<string> => {
  const bears = token === '' ? '' : ` -H ${quoted(`Authorization: Bearer ${token}`)}`
  const visit = (await readVisit())
    .replace(DEFAULT_URL, url)
    .replace("curl -sS -w '\\n'", () => `curl -sS${bears} -w '\\n%{http_code}'`)
  return ['set -eu', SHOW, ...linesOf(visit).map(scriptOf)].join('\n')
}

/** Why the visit ended at an answer of this status, which stands above. */
const refusal = (status: string, isTokenGiven: boolean): string =>
  status === '401' && !isTokenGiven
    ? "the shop wants a token: give an operator's by --token TOKEN, or by the variable OPERATOR_TOKEN"
    : `the visit ended early, for this was answered ${status}`

const main = async (line: readonly string[]): Promise<void> => {
  const option = { type: 'string' } as const
  const { values } = readLine({
    args: [...line],
    options: { url: option, token: option, help: { type: 'boolean', short: 'h' } },
  })
  if (values.help) return void process.stdout.write(`${HELP}\n`)
  const { url = DEFAULT_URL, token = process.env.OPERATOR_TOKEN ?? '' } = values
  if (!/^https?:\/\/[\w.[\]:-]+$/.test(url))
    throw new UsageError(`--url must be an address as ${DEFAULT_URL}, not "${url}"`)
  if (!/^[\x21-\x7e]*$/.test(token)) throw new UsageError('--token must be visible ASCII characters')
  const child = spawn('/bin/sh', ['-c', await visitScript(url, token)], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  })
  const [[code], refused] = await Promise.all([once(child, 'exit'), text(child.stdio[3] as Readable)])
  if (refused !== '') throw new UsageError(refusal(refused, token !== ''))
  if (code !== 0) throw new UsageError(`the visit ended early; is there a shop at ${url}?`)
}

const fail = (error: unknown): void => {
  if (!(error instanceof UsageError)) throw error
  process.stderr.write(`${error.message}; --help shows what can be said\n`)
  process.exitCode = 1
}

if (import.meta.main) await main(process.argv.slice(2)).catch(fail)
