/** Which files are written from the rows of all services? */
import { collectionText } from './collection.ts'
import { contractText } from './document.ts'
import { httpFileText } from './http-file.ts'

const inDocs = (name: string): URL => new URL(`../../gateway/docs/${name}`, import.meta.url)

export const CONTRACT = inDocs('openapi.json')
export const COLLECTION = inDocs('shop.postman_collection.json')
export const HTTP_FILE = inDocs('shop.http')

export const WRITTEN: readonly { readonly place: URL; readonly text: () => string }[] = [
  { place: CONTRACT, text: contractText },
  { place: COLLECTION, text: collectionText },
  { place: HTTP_FILE, text: httpFileText },
]
