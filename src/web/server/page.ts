/** The files of the built page, each read once and cached, also compressed. Only files that were there at first are served, by their exact names. */
import {existsSync, readdirSync, readFileSync} from 'node:fs'
import {extname, join, relative} from 'node:path'
import {promisify} from 'node:util'
import {gzip} from 'node:zlib'

export interface PageFile {
  readonly type: string
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Undefined where compression saves nothing. */
  readonly compressed: Uint8Array<ArrayBuffer> | undefined
}

export interface Page {
  /** @param path from the root of the page, such as `assets/main.js`; undefined for a file that it lacks */
  read(path: string): Promise<PageFile | undefined>
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
  '.map': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.wasm': 'application/wasm',
}
const compressible = /^(text|application)\/|svg/

export function createPage(directory: string): Page {
  const names = new Set(listFiles(directory))
  const files = new Map<string, Promise<PageFile>>()
  return {
    read: async (path) => {
      if (!names.has(path)) return undefined
      const file = files.get(path) ?? readFile(join(directory, path))
      files.set(path, file)
      // While the page is being built again, a file may be missing for a moment.
      file.catch(() => files.delete(path))
      return await file
    },
  }
}

function listFiles(directory: string): readonly string[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory, {recursive: true, withFileTypes: true})
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
}

async function readFile(path: string): Promise<PageFile> {
  const type = types[extname(path)] ?? 'application/octet-stream'
  const bytes = Uint8Array.from(readFileSync(path))
  const compressed = compressible.test(type) ? Uint8Array.from(await promisify(gzip)(bytes)) : undefined
  return {type, bytes, compressed: compressed && compressed.length < bytes.length ? compressed : undefined}
}
