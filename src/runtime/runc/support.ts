/** What a bundle asks for that its runtime does not know. Some of it a runtime would pass over in silence. */
import {join} from 'node:path'
import * as z from 'zod'
import {mostSpecBytes, readTextFile} from '../read-text-file.ts'
import type {RuntimeFeatures} from './features.ts'

export interface Wish {
  readonly type: 'namespace' | 'mount option' | 'mount with ids of its own'
  readonly name: string
}

/** Every runtime has these, since runtime-spec 1.0. */
const usualNamespaces: ReadonlySet<string> = new Set(['pid', 'network', 'mount', 'ipc', 'uts', 'user', 'cgroup'])
/** Of a bind mount with all that is below it (mount_setattr(2)). Who does not know them takes them for data, which a bind mount ignores. */
const unusualOptions = /^(?:r?idmap|r(?:ro|rw|(?:no)?(?:suid|dev|exec|atime|relatime|strictatime|diratime|symfollow)))$/

const specSchema = z.object({
  linux: z.object({namespaces: z.array(z.object({type: z.string()})).nullish()}).nullish(),
  mounts: z
    .array(z.object({destination: z.string(), options: z.array(z.string()).nullish(), uidMappings: z.array(z.unknown()).nullish()}))
    .nullish(),
})

/** Only that of which a runtime may know nothing; usually there is none of it, and nobody has to be asked. */
export function readWishes(bundle: string): readonly Wish[] {
  const {linux, mounts} = specSchema.safeParse(readSpec(bundle)).data ?? {}
  const namespaces = (linux?.namespaces ?? []).flatMap(({type}) =>
    usualNamespaces.has(type) ? [] : [{type: 'namespace', name: type} as const],
  )
  const ofMounts = (mounts ?? []).flatMap(({destination, options, uidMappings}): readonly Wish[] => [
    ...(options ?? []).flatMap((name) => (unusualOptions.test(name) ? [{type: 'mount option', name} as const] : [])),
    ...(uidMappings?.length ? [{type: 'mount with ids of its own', name: destination} as const] : []),
  ])
  return [...namespaces, ...ofMounts]
}

/** The first that the runtime does not know, and what it knows instead. */
export function findUnsupported(
  wishes: readonly Wish[],
  {namespaces, mountOptions, idmap}: RuntimeFeatures,
): {readonly wish: Wish; readonly known: readonly string[]} | undefined {
  const known = {namespace: namespaces, 'mount option': mountOptions, 'mount with ids of its own': new Set<string>()}
  const wish = wishes.find(({type, name}) => (type === 'mount with ids of its own' ? !idmap : !known[type].has(name)))
  return wish && {wish, known: [...known[wish.type]]}
}

function readSpec(bundle: string): unknown {
  try {
    return JSON.parse(readTextFile(join(bundle, 'config.json'), mostSpecBytes))
  } catch {
    // The runtime says what is wrong with it.
    return undefined
  }
}
