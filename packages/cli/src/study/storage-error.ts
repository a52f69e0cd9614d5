/**
 * A file of the run cannot be written or read: the disk is full, the folder went away. The run stops; every row that was
 * finished is on the disk.
 */
export class StorageError extends Error {
  override readonly name = 'StorageError';

  constructor(path: string, reason: string, options?: ErrorOptions) {
    super(
      `${path} cannot be written: ${reason}. Every finished cell is kept; make room and run the same command again.`,
      options,
    );
  }
}
