import test from 'ava'
import { result } from '../../../shared/redis/reply.ts'

for (const reply of [['held'], ['contradicted', 'saga', '', 'order']])
  test(`a result is a text, and texts that belong to it: ${JSON.stringify(reply)}`, (t) => {
    t.is<unknown, unknown>(result(reply), reply)
  })

for (const reply of [[], ['held', 7], ['held', null], [['held']], [7], 'held', null])
  test(`a reply of another form is a fault of the program: ${JSON.stringify(reply)}`, (t) => {
    t.throws(() => result(reply), { message: /reply\.result/ })
  })
