//! Columns aligned with spaces, as the docker CLI aligns them.

use unicode_width::UnicodeWidthStr as _;

/// Widths of a table's columns.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// Columns that a cell takes at least, its padding included.
    pub min_width: usize,
    /// Spaces after the widest cell of a column.
    pub padding: usize,
}

impl Layout {
    /// Tables of `ps`, `volumes` and other formats.
    pub const FORMAT: Self = Self {
        min_width: 10,
        padding: 3,
    };
    /// Tables of `ls` and `images`.
    pub const LIST: Self = Self {
        min_width: 20,
        padding: 3,
    };
    /// Tables of `top`.
    pub const TOP: Self = Self {
        min_width: 4,
        padding: 2,
    };

    /// Aligns lines whose cells are separated by tabs. The last cell of a line is not padded.
    pub fn align(self, text: &str) -> String {
        let lines: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split('\t').collect())
            .collect();
        let widths = self.widths(&lines);
        let mut aligned = String::new();
        for line in &lines {
            let last = line.len().saturating_sub(1);
            for (column, cell) in line.iter().enumerate() {
                aligned.push_str(cell);
                if column < last {
                    let fill = widths[column].saturating_sub(cell.width());
                    aligned.extend(std::iter::repeat_n(' ', fill));
                }
            }
            aligned.push('\n');
        }
        aligned
    }

    fn widths(self, lines: &[Vec<&str>]) -> Vec<usize> {
        let mut widths = Vec::new();
        for line in lines {
            let last = line.len().saturating_sub(1);
            for (column, cell) in line[..last].iter().enumerate() {
                if widths.len() <= column {
                    widths.push(self.min_width);
                }
                widths[column] = widths[column].max(cell.width() + self.padding);
            }
        }
        widths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_a_least_width_and_padding() {
        assert_eq!(
            Layout::FORMAT.align("NAME\tIMAGE\tPORTS\na-long-name-1\tx\t\n"),
            "NAME            IMAGE     PORTS\na-long-name-1   x         \n"
        );
        assert_eq!(Layout::TOP.align("#\tPID\n1\t22\n"), "#   PID\n1   22\n");
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(
            Layout::TOP.align("名前です\tb\nabc\tb\n"),
            "名前です  b\nabc       b\n"
        );
    }

    #[test]
    fn nothing_stays_nothing() {
        assert_eq!(Layout::LIST.align(""), "");
    }
}
