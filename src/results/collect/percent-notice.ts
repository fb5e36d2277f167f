/** Told of each tool success rate that was taken as per cent, with the file that it stands in. */
export type OnPercent = (file: string, rate: number) => void;

/** Gives one notice, of the first: the earlier tools wrote such a rate into every result, and there may be a million. */
export function noticeFirstPercent(onNotice: (message: string) => void): OnPercent {
    let wasTold = false;
    return (file, rate) => {
        if (wasTold) return;
        wasTold = true;
        onNotice(
            `${file}: a tool success rate of ${rate} was taken as per cent, and so is every other above 1`,
        );
    };
}
