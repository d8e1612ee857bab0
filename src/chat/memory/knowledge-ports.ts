// What knowledge from files needs from outside. No I/O in this file.

export interface DocumentPage {
  /** From 1; null in documents without pages. */
  page: number | null;
  text: string;
}

export interface DocumentReader {
  /**
   * Bounded in time and memory. @throws AppError `unsupported` for a kind of file that is not read, `invalid_document`
   * with a `reason`, `runtime_busy`, `cancelled`
   */
  read(
    file: { name: string; mediaType: string | null; bytes: Uint8Array },
    signal: AbortSignal,
  ): Promise<{ pages: DocumentPage[]; mediaType: string }>;
}
