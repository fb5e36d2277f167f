/** Called for each tool success rate that was read as a percentage, with the file that contains it. */
export type OnPercent = (file: string, rate: number) => void;

/** Reports only the first such rate: the earlier tools wrote one into every result, and there may be a million of them. */
export function noticeFirstPercent(onNotice: (message: string) => void): OnPercent {
    let wasTold = false;
    return (file, rate) => {
        if (wasTold) return;
        wasTold = true;
        onNotice(
            `${file}: read the tool success rate ${rate} as a percentage; the same applies to every rate above 1`,
        );
    };
}
