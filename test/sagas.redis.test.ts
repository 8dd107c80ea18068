/**
 * The sagas as transcripts: each file in `sagas/` says a rule, and shows it by commands and what they print. Whoever changes
 * what happens rewrites them with `UPDATE=1 npx ava test/sagas.redis.test.ts`, and reads the difference.
 */
import { readdirSync, readFileSync } from 'node:fs'
import test from 'ava'
import { reactions as orderReactions } from '../order/reactions.ts'
import { reactions as paymentReactions } from '../payment/reactions.ts'
import { reactions as stockReactions } from '../stock/reactions.ts'
import { holdFile } from './support/golden.ts'
import { openStage } from './support/sagas/transcript.ts'
import { headerOf, luaCommands, promised } from './support/shop/lua-command.ts'

const folder = new URL('sagas/', import.meta.url)
const files = readdirSync(folder).filter((file) => file.endsWith('.txt'))

const stage = await openStage()
test.after.always(async () => stage[Symbol.asyncDispose]())

for (const file of files) {
  const at = new URL(file, folder)
  const text = readFileSync(at, 'utf8')
  const [rule = ''] = text.split('\n')
  test.serial(`${file}: ${rule}`, async (t) => {
    t.regex(rule, /^[A-Z][^.]+\.$/, 'it begins with one sentence: the rule')
    holdFile(t, at, await stage.play(text))
  })
}

const PARTICIPANTS = { order: orderReactions, payment: paymentReactions, stock: stockReactions }
test.serial('each result that an entry may lead to is shown in some transcript', (t) => {
  const shown = stage.seen()
  const missing = Object.entries(PARTICIPANTS).flatMap(([participant, reactions]) =>
    Object.values(reactions).flatMap((rows: Readonly<Record<string, { readonly command: string }>>) =>
      Object.entries(rows).flatMap(([kind, { command }]) => {
        const found = [...luaCommands(participant as 'order'), ...luaCommands('shared')].find(
          ({ name }) => name === command,
        )
        const results = found ? promised(headerOf(found)) : []
        return results.map((result) => `${participant} ${kind}: ${result}`).filter((one) => !shown.has(one))
      }),
    ),
  )
  t.deepEqual(missing, [])
})
