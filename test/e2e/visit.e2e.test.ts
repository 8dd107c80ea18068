import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { startShop } from '../../env/local/shop.ts'

const run = promisify(execFile)
const README = join(import.meta.dirname, '../../README.md')

/** The visit as the README prints it, at another address; curl also tells each status, on standard error. */
const visitAt = async (url: string): Promise<string> => {
  const [visit] = /^SHOP=http:\/\/127\.0\.0\.1:8000\n.*?(?=^```)/ms.exec(await readFile(README, 'utf8')) ?? []
  if (visit === undefined) throw new Error('the README shows no visit')
  return visit.replace('http://127.0.0.1:8000', url).replace("-w '\\n'", "-w '\\n%{stderr}<%{http_code}>\\n'")
}

test('the visit of the README can be made twice, and is answered as it says', async (t) => {
  await using shop = await startShop()
  const visit = await visitAt(shop.url)
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
