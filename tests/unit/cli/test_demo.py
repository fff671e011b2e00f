"""The demo in one process and reduced size: the whole path of a transaction, with all real parts."""

from bedroll.cli.demo import Demo
from bedroll.cli.output import Output
from bedroll.config import load


async def test_the_whole_path_of_a_transaction(tmp_path):
    config = load(environment={}, defaults={"bitcoin.source": "embedded"}).config
    found = await Demo(Output(as_json=True), tmp_path, 60, config).run()
    assert found["transactions"] == 60
    assert found["receipts_equal"] >= 61
    assert 0 < found["bytes_per_transaction"] < 500
    assert found["l1_fee_sat"] >= found["l1_size_vb"]
    assert found["forced"]["executed"] is True
    assert found["forced"]["automatic"] is True
    assert 0 < found["forced"]["l1_blocks"] <= 30
