/**
 * The FIFOs of containers, held open: what waits in one is gone when nobody has it open any more, and a program may end before the
 * supervisor that takes over has come to open it; and whoever reads his input is told that it has ended when nobody can write it. Nothing
 * is read or written here.
 */
import {closeSync, constants, fstatSync, openSync, statSync} from 'node:fs'
import {join} from 'node:path'
import {bytesInPipe} from '../../linux/pipe.ts'

/** Where the FIFOs of a process are. */
export interface PipePlace {
  readonly dir: string
  /** Its exit is in the journal. */
  readonly hasEnded: boolean
  /** It has been given an input, and nobody has ended that. */
  readonly takesInput: boolean
}

export interface PipeKeeper {
  /** Opens what is there of them. */
  open(places: readonly PipePlace[]): void
  /** Closes what is none of them or has been removed, what is empty and will remain so, and the inputs that are to end. */
  closeOthers(places: readonly PipePlace[]): void
}

interface Pipe {
  readonly path: string
  readonly flags: number
  /** To be opened. */
  readonly isWanted: boolean
  /** To be kept though it is not: for what waits in it. */
  readonly isKept: (fd: number) => boolean
}

/** Also through a link: to that of a process whose run directory was wiped, and put back. */
const always = constants.O_NONBLOCK

export function createPipeKeeper(): PipeKeeper {
  const held = new Map<string, number>()

  return {
    open: (places) => {
      for (const {path, flags, isWanted} of places.flatMap(toPipes)) {
        if (!isWanted) continue
        const former = held.get(path)
        if (former !== undefined && isThere(path, former)) continue
        // That of a process whose id another has now.
        if (former !== undefined) close(path, former)
        const fd = openPipe(path, flags)
        if (fd !== undefined) held.set(path, fd)
      }
    },
    closeOthers: (places) => {
      const pipes = new Map(places.flatMap(toPipes).map((pipe) => [pipe.path, pipe]))
      for (const [path, fd] of [...held]) {
        const pipe = pipes.get(path)
        if (pipe && isThere(path, fd) && (pipe.isWanted || pipe.isKept(fd))) continue
        close(path, fd)
      }
    },
  }

  function close(path: string, fd: number): void {
    closeSync(fd)
    held.delete(path)
  }
}

function toPipes({dir, hasEnded, takesInput}: PipePlace): readonly Pipe[] {
  const outputs = ['stdout', 'stderr'].map((name) => ({
    path: join(dir, name),
    flags: constants.O_RDWR | always,
    isWanted: !hasEnded,
    isKept: (fd: number) => bytesInPipe(fd) > 0,
  }))
  // For writing alone: whoever reads it may close it, and whoever writes must be told.
  return [
    ...outputs,
    {path: join(dir, 'stdin'), flags: constants.O_WRONLY | always, isWanted: takesInput && !hasEnded, isKept: () => false},
  ]
}

/** Undefined when it has not been made yet, as some of a terminal never are, or when it is an input that nobody reads. */
function openPipe(path: string, flags: number): number | undefined {
  try {
    return openSync(path, flags)
  } catch {
    return undefined
  }
}

function isThere(path: string, fd: number): boolean {
  return statSync(path, {throwIfNoEntry: false})?.ino === fstatSync(fd).ino
}
