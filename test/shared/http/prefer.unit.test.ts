/** What `Prefer` says; what is not understood of it is passed over. */
import test from 'ava'
import { patienceIn } from '../../../shared/http/prefer.ts'

const ASYNC = { respondAsync: true, waitS: undefined }
const NONE = { respondAsync: false, waitS: undefined }

for (const [prefer, read] of [
  [undefined, NONE],
  ['', NONE],
  ['respond-async', ASYNC],
  ['Respond-Async', ASYNC],
  ['respond-async, wait=10', { respondAsync: true, waitS: 10 }],
  ['wait=10,respond-async', { respondAsync: true, waitS: 10 }],
  ['return=minimal, respond-async; by=mail, wait = "3"', { respondAsync: true, waitS: 3 }],
  ['wait=0', { respondAsync: false, waitS: 0 }],
  ['wait=7', { respondAsync: false, waitS: 7 }],
  ['wait=-1', NONE],
  ['wait=1.5', NONE],
  ['wait=soon', NONE],
  ['wait=12345678901', NONE],
  ['wait', NONE],
  ['do-not-respond-async', NONE],
  ['respond-asynchronously', NONE],
  ['await=3', NONE],
] as const)
  test(`Prefer: ${prefer}`, (t) => {
    t.deepEqual(patienceIn(prefer), read)
  })
