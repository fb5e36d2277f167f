import { useEffect, useRef, useState } from 'preact/hooks';

/** Pixels; must match the style sheet. */
export const ROW_HEIGHT = 32;
/** Number of rows to print: half a million would fill a book. */
export const PRINTED_ROWS = 300;
/** Rows drawn above and below the visible ones, so that they are there when scrolling slowly. */
const MARGIN = 8;
/** Rows of the first rendering, before the height of the table is known. */
const FIRST_ROWS = 32;
/** Milliseconds without scrolling after which the neighbours of the rows that a jump made visible are drawn. */
const SCROLL_PAUSE = 80;

/** A range of row positions, excluding the end. */
interface RowWindow {
    readonly from: number;
    readonly to: number;
}

/**
 * Which rows of a table to draw. A new order or new rows scroll back to the top. After a jump to entirely new rows only those are
 * drawn, and their neighbours once the reader pauses: a frame with twice the rows would take too long.
 */
export function useRowWindow(
    count: number,
    by: string,
    rows: unknown,
): RowWindow & { readonly frame: { current: HTMLDivElement | null } } {
    const frame = useRef<HTMLDivElement>(null);
    const [drawn, setDrawn] = useState<RowWindow>({ from: 0, to: FIRST_ROWS });
    const isPrinting = useIsPrinting();
    useEffect(() => {
        const element = frame.current;
        if (element === null) return undefined;
        let last: RowWindow = { from: 0, to: FIRST_ROWS };
        let timer: ReturnType<typeof setTimeout> | undefined;
        const draw = (next: RowWindow): void => {
            if (next.from === last.from && next.to === last.to) return;
            last = next;
            setDrawn(next);
        };
        const look = (): void => {
            clearTimeout(timer);
            const seen = findRowsInSight(element);
            const isJump = seen.to <= last.from || seen.from >= last.to;
            if (!isJump) return draw(widen(seen));
            draw(seen);
            timer = setTimeout(() => draw(widen(seen)), SCROLL_PAUSE);
        };
        look();
        const observer = new ResizeObserver(look);
        observer.observe(element);
        element.addEventListener('scroll', look, { passive: true });
        return () => {
            clearTimeout(timer);
            observer.disconnect();
            element.removeEventListener('scroll', look);
        };
    }, [count === 0]);
    useEffect(() => {
        if (frame.current !== null) frame.current.scrollTop = 0;
    }, [by, rows]);
    return isPrinting ? { frame, from: 0, to: PRINTED_ROWS } : { frame, ...drawn };
}

/** Whether the page is being printed. */
export function useIsPrinting(): boolean {
    const [isPrinting, setPrinting] = useState(false);
    useEffect(() => {
        const query = matchMedia('print');
        const update = (): void => setPrinting(query.matches);
        update();
        query.addEventListener('change', update);
        return () => query.removeEventListener('change', update);
    }, []);
    return isPrinting;
}

function findRowsInSight({ scrollTop, clientHeight }: HTMLElement): RowWindow {
    return {
        from: Math.max(0, Math.floor(scrollTop / ROW_HEIGHT)),
        to: Math.ceil((scrollTop + clientHeight) / ROW_HEIGHT),
    };
}

const widen = ({ from, to }: RowWindow): RowWindow => ({ from: Math.max(0, from - MARGIN), to: to + MARGIN });
