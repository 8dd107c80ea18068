/** Which files are written from the rows of all services? */
import { clientTypesText } from './client-types.ts'
import { collectionText } from './collection.ts'
import { contractText } from './document.ts'
import { httpFileText } from './http-file.ts'

const inDocs = (name: string): URL => new URL(`../../gateway/docs/${name}`, import.meta.url)

export const CONTRACT = inDocs('openapi.json')
export const COLLECTION = inDocs('shop.postman_collection.json')
export const HTTP_FILE = inDocs('shop.http')
const CLIENT_TYPES = new URL('../../gateway/client/contract.ts', import.meta.url)

export const WRITTEN: readonly { readonly place: URL; readonly text: () => string }[] = [
  { place: CONTRACT, text: contractText },
  { place: COLLECTION, text: collectionText },
  { place: HTTP_FILE, text: httpFileText },
  { place: CLIENT_TYPES, text: clientTypesText },
]
