/** Root of a container, as the host knows it: the user who may open its FIFOs again, by `/dev/stderr`. */
export interface FifoOwner {
  readonly uid: number
  readonly gid: number
}
