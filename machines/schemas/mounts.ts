/** What is mounted into a container. */
import * as z from 'zod'
import {absolutePath} from './paths.ts'

/** A file or directory of the node. */
const bindSchema = z
  .strictObject({
    type: z.literal('bind'),
    source: absolutePath,
    target: absolutePath,
    readOnly: z.boolean().optional(),
    /** How mounts that are made below it later are shared; `rprivate`, not at all, when absent. */
    propagation: z.enum(['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave']).optional(),
    /**
     * Of what is mounted below the source. `enabled`: it comes along, and with `readOnly` is read-only as well, where the host can; so it
     * is when absent. `disabled`: it does not come along. `writable`: it stays writable. `readonly`: it is read-only, or the create fails.
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

/** A user or group id: the highest is "no change" to the kernel. */
const ownerId = z.int().min(0).max(4_294_967_294)

/** In memory, gone with the container. */
const tmpfsSchema = z.strictObject({
  type: z.literal('tmpfs'),
  target: absolutePath,
  sizeBytes: z.int().positive().optional(),
  /** Of its root directory, such as 0o1777. */
  mode: z.int().min(0).max(0o7777).optional(),
  readOnly: z.boolean().optional(),
  /** Programs there may be executed. */
  exec: z.boolean().optional(),
  /** Their setuid bits count. */
  suid: z.boolean().optional(),
  /** Devices there work. */
  dev: z.boolean().optional(),
  /** Of its root directory. */
  uid: ownerId.optional(),
  gid: ownerId.optional(),
  /** The most files. */
  inodes: z.int().positive().optional(),
  /** When the time of the last access is kept. */
  atime: z.enum(['noatime', 'relatime', 'strictatime']).optional(),
})

/** Mounted into the container after what every container has: parents first, otherwise in their order. */
export const mountSchema = z.discriminatedUnion('type', [bindSchema, tmpfsSchema])
export type Mount = z.infer<typeof mountSchema>
