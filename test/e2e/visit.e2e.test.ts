import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { linesOf, readVisit } from '../../env/local/visit.ts'
import { shareShop } from '../support/shop/shop.ts'

const run = promisify(execFile)
const VISIT = join(import.meta.dirname, '../../env/local/visit.ts')
const shared = shareShop(test)

/** The whole visit as it is printed, at another address; curl also writes each status to standard error. */
const visitAt = async (url: string): Promise<string> =>
  (await readVisit()).replace('http://127.0.0.1:8000', url).replace("-w '\\n'", "-w '\\n%{stderr}<%{http_code}>\\n'")

test.serial('the visit of the READMEs can be made twice, and is answered as they say', async (t) => {
  const visit = await visitAt(shared().shop.url)
  for (const time of ['first', 'second']) {
    const { stdout, stderr } = await run('/bin/sh', ['-eu', '-c', visit])
    const statuses = [...stderr.matchAll(/^<(\d+)>$/gm)].map(([, status]) => status)
    const wanted = visit
      .split('\n')
      .filter((line) => /(^|\()ask /.test(line))
      .map((line) => (/# (\d{3})/.exec(line) ?? [])[1] ?? '200')
    t.deepEqual(statuses, wanted, `${time} time:\n${stdout}`)
    t.regex(stdout, /"paid":true,"items":\[\["[\w-]+",3\]\]/)
    t.regex(stdout, /"credit":85}/)
    t.regex(stdout, /"stock":7,"price":5}/)
    t.regex(stdout, /"balanced":true/)
  }
})

test.serial(
  '`npm run visit` makes it, and shows each request as a line that can be sent again, with its answer',
  async (t) => {
    const { url } = shared().shop
    const { stdout } = await run(process.execPath, [VISIT, '--url', url], {
      env: { ...process.env, OPERATOR_TOKEN: '' },
    })
    const shown = stdout.split('\n').filter((line) => line.startsWith('curl '))
    const requests = linesOf(await readVisit()).filter((line) => 'asks' in line)
    t.is(shown.length, requests.length)
    for (const line of shown) t.notRegex(line, /\$[A-Z]/)
    t.regex(stdout, /^curl -X POST http:\S+\/orders\/checkout\/[\w-]{21}\npaid$/m)
    t.regex(stdout, /"credit":85}$/m)
    t.regex(stdout, /^.{1000}\n\.\.\. and so on: \d{4,} characters in all$/m, 'a long answer is cut, and that is told')
    t.is(stdout.match(/^\.\.\. and so on/gm)?.length, stdout.match(/^\{.{999}$/gm)?.length)
    const asked = shown.find((line) => line.includes('/payment/find_user/')) ?? ''
    t.regex((await run('/bin/sh', ['-c', asked])).stdout, /"credit":\d+/)
  },
)

test.serial('its help tells what is lost by it', async (t) => {
  const { stdout } = await run(process.execPath, [VISIT, '--help'])
  t.regex(stdout, /the users, items and orders 0 to 99 anew/)
})

test.serial('without a shop it says so in a sentence', async (t) => {
  const { code, stderr } = await t.throwsAsync<Error & { code: number; stderr: string }>(
    run(process.execPath, [VISIT, '--url', 'http://127.0.0.1:1']),
  )
  t.is(code, 1)
  t.regex(stderr, /is there a shop at http:\/\/127\.0\.0\.1:1\?/)
})
