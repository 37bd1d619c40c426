/** Finds what a bundle asks for and its OCI runtime does not support. A runtime ignores some of it without an error. */
import {join} from 'node:path'
import * as z from 'zod'
import {mostSpecBytes, readTextFile} from '../read-text-file.ts'
import type {RuntimeFeatures} from './features.ts'

export interface Wish {
  readonly type: 'namespace' | 'mount option' | 'mount with ids of its own'
  readonly name: string
}

/** Supported by every runtime, since runtime-spec 1.0. */
const standardNamespaces: ReadonlySet<string> = new Set(['pid', 'network', 'mount', 'ipc', 'uts', 'user', 'cgroup'])
/** Recursive options of a bind mount (mount_setattr(2)). A runtime without them passes them on as data, which a bind mount ignores. */
const recursiveOptions = /^(?:r?idmap|r(?:ro|rw|(?:no)?(?:suid|dev|exec|atime|relatime|strictatime|diratime|symfollow)))$/

const specSchema = z.object({
  linux: z.object({namespaces: z.array(z.object({type: z.string()})).nullish()}).nullish(),
  mounts: z
    .array(z.object({destination: z.string(), options: z.array(z.string()).nullish(), uidMappings: z.array(z.unknown()).nullish()}))
    .nullish(),
})

/** What not every runtime supports. Most bundles have none of it, and then the runtime is not asked for its features. */
export function readWishes(bundle: string): readonly Wish[] {
  const {linux, mounts} = specSchema.safeParse(readSpec(bundle)).data ?? {}
  const namespaces = (linux?.namespaces ?? []).flatMap(({type}) =>
    standardNamespaces.has(type) ? [] : [{type: 'namespace', name: type} as const],
  )
  const ofMounts = (mounts ?? []).flatMap(({destination, options, uidMappings}): readonly Wish[] => [
    ...(options ?? []).flatMap((name) => (recursiveOptions.test(name) ? [{type: 'mount option', name} as const] : [])),
    ...(uidMappings?.length ? [{type: 'mount with ids of its own', name: destination} as const] : []),
  ])
  return [...namespaces, ...ofMounts]
}

/** The first one that the runtime does not support, and what it supports instead. */
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
    // The runtime reports what is wrong with the bundle.
    return undefined
  }
}
