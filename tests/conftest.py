"""What all tests share."""

import gc


def pytest_collection_finish(session):
    """Keep the collector of cycles from walking tens of thousands of tests again and again."""
    gc.collect()
    gc.freeze()
