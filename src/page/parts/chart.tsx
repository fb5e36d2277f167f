import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { say } from '../language/text.js';
import { downloadSvg } from './download.js';

interface ChartProps {
    /** Also the name of the SVG file. */
    readonly name: string;
    readonly title: string;
    /** Draws the chart; Observable Plot returns an `svg`, or a `figure` around one. */
    readonly draw: (width: number) => Element;
}

const MIN_WIDTH = 280;

/** A plot that adapts to the available width and can be saved as SVG. */
export function Chart({ name, title, draw }: ChartProps): JSX.Element {
    const box = useRef<HTMLDivElement>(null);
    useEffect(() => {
        const element = box.current;
        if (element === null) return undefined;
        let drawn = 0;
        const redraw = (): void => {
            const width = Math.max(MIN_WIDTH, Math.floor(element.clientWidth));
            if (width === drawn) return;
            drawn = width;
            const plot = draw(width);
            // The page's content security policy blocks these styles; its own style sheet contains the same rules.
            for (const style of plot.querySelectorAll('style')) style.remove();
            // The names of marks do not help readers; the drawing as a whole is labelled.
            for (const part of plot.querySelectorAll('g[aria-label]')) part.removeAttribute('aria-label');
            element.replaceChildren(plot);
            const svg = svgIn(element);
            svg?.setAttribute('role', 'img');
            svg?.setAttribute('aria-label', say('chart', { title }));
        };
        redraw();
        const observer = new ResizeObserver(redraw);
        observer.observe(element);
        return () => observer.disconnect();
    }, [draw, title]);
    const save = (): void => {
        const svg = svgIn(box.current);
        if (svg !== null) downloadSvg(name, svg);
    };
    return (
        <figure class="chart">
            <figcaption>
                <span>{title}</span>
                <button type="button" class="quiet" onClick={save}>
                    {say('downloadSvg')}
                </button>
            </figcaption>
            <div ref={box} class="chart-box" />
        </figure>
    );
}

function svgIn(element: Element | null): SVGElement | null {
    // A legend is an SVG too, and comes first.
    const all = element?.querySelectorAll<SVGElement>('svg') ?? [];
    return [...all].at(-1) ?? null;
}
