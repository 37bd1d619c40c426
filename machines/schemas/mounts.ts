/** What is mounted into a container. */
import * as z from 'zod'
import {absolutePath} from './fields.ts'

/** A file or directory of the node. */
const bindSchema = z
  .strictObject({
    type: z.literal('bind'),
    source: absolutePath,
    target: absolutePath,
    readOnly: z.boolean().optional(),
    /** Whether later mounts below it are shared between the node and the container; by default `rprivate`, not at all. */
    propagation: z.enum(['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave']).optional(),
    /**
     * What happens to mounts below the source. `enabled`, the default: they are mounted too, and with `readOnly` they are read-only as
     * well if the host can do that. `disabled`: they are not mounted. `writable`: they stay writable. `readonly`: they are read-only, or
     * the create fails.
     */
    recursive: z.enum(['enabled', 'disabled', 'writable', 'readonly']).optional(),
  })
  .refine(({recursive, readOnly}) => readOnly === true || (recursive !== 'writable' && recursive !== 'readonly'), {
    error: 'expected readOnly beside it',
    path: ['recursive'],
  })
  .refine(({recursive, propagation = 'rprivate'}) => recursive !== 'readonly' || propagation === 'rprivate', {
    error: 'expected propagation rprivate beside readonly: what is mounted later would be writable',
    path: ['recursive'],
  })

/** A user or group id. The kernel reads the highest 32-bit number as "no change". */
const ownerId = z.int().min(0).max(4_294_967_294)

/** A file system in memory that disappears with the container. */
const tmpfsSchema = z.strictObject({
  type: z.literal('tmpfs'),
  target: absolutePath,
  sizeBytes: z.int().positive().optional(),
  /** The mode of its root directory, such as 0o1777. */
  mode: z.int().min(0).max(0o7777).optional(),
  readOnly: z.boolean().optional(),
  /** Programs on it can be executed. */
  exec: z.boolean().optional(),
  /** Setuid and setgid bits on it take effect. */
  suid: z.boolean().optional(),
  /** Device nodes on it can be opened. */
  dev: z.boolean().optional(),
  /** The owner of its root directory. */
  uid: ownerId.optional(),
  gid: ownerId.optional(),
  /** The maximum number of inodes. */
  inodes: z.int().positive().optional(),
  /** When access times are updated. */
  atime: z.enum(['noatime', 'relatime', 'strictatime']).optional(),
})

/** Mounted after the file systems that every container has: parents before children, otherwise in the given order. */
export const mountSchema = z.discriminatedUnion('type', [bindSchema, tmpfsSchema])
export type Mount = z.infer<typeof mountSchema>

/** Where the upper directory of an overlay over the root file system is. */
export const overlayPlaceSchema = z.enum(['disk', 'memory'])
