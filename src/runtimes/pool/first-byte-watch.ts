// A server that works on a long prompt and one that hangs look the same: neither has sent a byte. Asked whether it is
// well, only one of them answers.

export interface FirstByteWatchOptions {
  /** How long the first byte is waited for before the server is asked, and between two questions. */
  patienceMs: number;
  /** Whether it answers at all. Never rejects. */
  probe: () => Promise<boolean>;
  /** Called once, after two questions without an answer. */
  onHang: () => void;
}

/** A machine under load misses one question now and then. */
const MISSES_TO_HANG = 2;

/** @returns what ends the watch, once the byte has come or nobody waits for it any more */
export function watchFirstByte({ patienceMs, probe, onHang }: FirstByteWatchOptions): () => void {
  let misses = 0;
  let over = false;
  let timer: NodeJS.Timeout;
  const wait = () => {
    timer = setTimeout(() => void ask(), patienceMs);
    timer.unref();
  };
  const ask = async () => {
    const well = await probe();
    if (over) return;
    misses = well ? 0 : misses + 1;
    if (misses < MISSES_TO_HANG) return wait();
    over = true;
    onHang();
  };
  wait();
  return () => {
    over = true;
    clearTimeout(timer);
  };
}
