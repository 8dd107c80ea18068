import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { startShop } from '../../env/local/shop.ts'

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, '../..')
/** Which README has each part of the visit, in their order, and how the part begins. */
const PARTS = [
  ['README.md', 'SHOP=http://127.0.0.1:8000\n'],
  ['gateway/README.md', 'ask -X POST $SHOP/payment/pay/'],
] as const

const partOf = async (readme: string, beginning: string): Promise<string> => {
  const blocks = (await readFile(join(ROOT, readme), 'utf8')).matchAll(/^```sh\n(.*?)^```$/gms)
  const part = [...blocks].map(([, text = '']) => text).find((text) => text.startsWith(beginning))
  if (part === undefined) throw new Error(`${readme} shows no part of the visit that begins with ${beginning}`)
  return part
}

/** The whole visit as it is printed, at another address; curl also writes each status to standard error. */
const visitAt = async (url: string): Promise<string> => {
  const parts = await Promise.all(PARTS.map(([readme, beginning]) => partOf(readme, beginning)))
  return parts
    .join('\n')
    .replace('http://127.0.0.1:8000', url)
    .replace("-w '\\n'", "-w '\\n%{stderr}<%{http_code}>\\n'")
}

test('the visit of the READMEs can be made twice, and is answered as they say', async (t) => {
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
