/**
 * The FIFOs of containers, held open: what waits in one is gone when nobody has it open any more, and a program may end before the
 * supervisor that takes over has come to open it. Nothing is read here.
 */
import {closeSync, constants, fstatSync, openSync, statSync} from 'node:fs'
import {join} from 'node:path'
import {bytesInPipe} from '../linux/pipe.ts'

/** Where the FIFOs of a process are. */
export interface PipePlace {
  readonly dir: string
  /** Its exit is in the journal. */
  readonly hasEnded: boolean
}

export interface PipeKeeper {
  /** Opens what is there of them. */
  open(places: readonly PipePlace[]): void
  /** Closes what is none of them or has been removed, and what is empty and will remain so. */
  closeOthers(places: readonly PipePlace[]): void
}

const names = ['stdout', 'stderr'] as const

export function createPipeKeeper(): PipeKeeper {
  const held = new Map<string, number>()

  return {
    open: (places) => {
      for (const path of toPaths(places.filter(({hasEnded}) => !hasEnded))) {
        const fd = held.has(path) ? undefined : openPipe(path)
        if (fd !== undefined) held.set(path, fd)
      }
    },
    closeOthers: (places) => {
      const present = new Set(toPaths(places))
      const ended = new Set(toPaths(places.filter(({hasEnded}) => hasEnded)))
      for (const [path, fd] of [...held]) {
        if (present.has(path) && isThere(path, fd) && !(ended.has(path) && bytesInPipe(fd) === 0)) continue
        closeSync(fd)
        held.delete(path)
      }
    },
  }
}

function toPaths(places: readonly PipePlace[]): readonly string[] {
  return places.flatMap(({dir}) => names.map((name) => join(dir, name)))
}

/** Undefined when it has not been made yet, as for a terminal it never is. */
function openPipe(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  } catch {
    return undefined
  }
}

function isThere(path: string, fd: number): boolean {
  return statSync(path, {throwIfNoEntry: false})?.ino === fstatSync(fd).ino
}
